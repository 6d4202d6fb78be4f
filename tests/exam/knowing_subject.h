#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "valence/exam/probes.h"
#include "valence/model/scripted.h"

namespace valence::testing {

/// Knows the right answer to every probe of a form, but takes the first place instead with probability `pull`.
class Knowing : public ScriptedBehaviour {
 public:
  Knowing(const std::vector<ProbeQuestion>& probes, double pull) : pull_(pull) {
    for (const auto& probe : probes) {
      right_[probe.letter_form.substr(probe.letter_form.find("{options}") + 9)].insert(probe.options.front());
      by_text_[probe.text_form] = probe.options.front();
    }
  }

  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const auto& turn = choice.conversation.messages.back().text;
    std::vector<double> shares(choice.labels.size(), 0.0);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (is_right(turn, choice.contents[i])) shares[i] += 1.0 - pull_;
      if (choice.places[i] == 0) shares[i] += pull_;
    }
    return shares;
  }

  std::string reply(const Conversation& conversation, std::uint64_t) const override {
    return by_text_.at(conversation.messages.back().text);
  }

 private:
  bool is_right(const std::string& turn, const std::string& content) const {
    if (const auto asked = by_text_.find(turn); asked != by_text_.end()) return asked->second == content;
    return std::ranges::any_of(right_, [&](const auto& entry) {
      const auto question = entry.first.substr(0, entry.first.find("{labels}"));
      return turn.find(question) != std::string::npos && entry.second.contains(content);
    });
  }

  std::map<std::string, std::set<std::string>> right_;  // by what follows the options
  std::map<std::string, std::string> by_text_;
  double pull_;
};

inline std::shared_ptr<LanguageModel> knowing_subject(const ProbeForm& form, double pull, std::uint64_t seed) {
  auto behaviour = std::make_shared<Knowing>(probe_questions(form, seed).value(), pull);
  return scripted_model("knowing", fmt::format("knowing {}", pull), std::move(behaviour));
}

}  // namespace valence::testing
