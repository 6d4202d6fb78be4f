#pragma once

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
      right_[{probe.options.begin(), probe.options.end()}] = probe.options.front();
      by_text_[probe.text_form] = probe.options.front();
    }
  }

  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const auto right = right_.find({choice.contents.begin(), choice.contents.end()});
    std::vector<double> shares(choice.labels.size(), 0.0);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (right != right_.end() && choice.contents[i] == right->second) shares[i] += 1.0 - pull_;
      if (choice.places[i] == 0) shares[i] += pull_;
    }
    return shares;
  }

  std::string reply(const Conversation& conversation, std::uint64_t) const override {
    return by_text_.at(conversation.messages.back().text);
  }

 private:
  std::map<std::set<std::string>, std::string> right_;
  std::map<std::string, std::string> by_text_;
  double pull_;
};

inline std::shared_ptr<LanguageModel> knowing_subject(const ProbeForm& form, double pull, std::uint64_t seed) {
  auto behaviour = std::make_shared<Knowing>(probe_questions(form, seed).value(), pull);
  return scripted_model("knowing", fmt::format("knowing {}", pull), std::move(behaviour));
}

}  // namespace valence::testing
