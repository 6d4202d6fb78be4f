#include "valence/exam/open_validity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "valence/exam/checks.h"
#include "valence/base/text.h"
#include "valence/base/words.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"

namespace valence {
namespace {

/// Other prompts that a response is held against, at most: evenly spaced over the set.
constexpr std::size_t kOthers = 64;

using Words = std::set<std::string>;

Words words_of(const std::string& text) {
  const auto words = bert_words(text, {});
  Words distinct;
  for (const auto& word : words) {
    if (code_points(word) > 2) distinct.insert(word);
  }
  return distinct;
}

/// ln(prompts / prompts that have the word): common words weigh little.
class Rarity {
 public:
  explicit Rarity(const std::vector<Words>& prompts) : count_(static_cast<double>(prompts.size())) {
    for (const auto& prompt : prompts) {
      for (const auto& word : prompt) ++having_[word];
    }
  }
  double of(const std::string& word) const {
    const auto found = having_.find(word);
    return found == having_.end() ? 0.0 : std::log((count_ + 1.0) / static_cast<double>(found->second));
  }

 private:
  double count_;
  std::map<std::string, std::size_t> having_;
};

/// Share of the prompt's weight that the response repeats.
double shared(const Words& prompt, const Words& response, const Rarity& rarity) {
  double both = 0.0, all = 0.0;
  for (const auto& word : prompt) {
    const double weight = rarity.of(word);
    all += weight;
    if (response.contains(word)) both += weight;
  }
  return all > 0.0 ? both / all : 0.0;
}

/// Probability that the response is nearer to prompt `own` than to another, ties half.
double nearer(const std::vector<Words>& prompts, std::size_t own, const Words& response, const Rarity& rarity) {
  const double mine = shared(prompts[own], response, rarity);
  const auto others = std::min(kOthers, prompts.size() - 1);
  double wins = 0.0;
  for (std::size_t k = 0; k < others; ++k) {
    const auto other = (own + 1 + k * (prompts.size() - 1) / others) % prompts.size();
    const double theirs = shared(prompts[other], response, rarity);
    wins += mine > theirs ? 1.0 : mine == theirs ? 0.5 : 0.0;
  }
  return wins / static_cast<double>(others);
}

Estimate content_sensitivity(std::span<const OpenReply> replies) {
  std::map<std::string, std::size_t> place;
  std::vector<Words> prompts;
  for (const auto& reply : replies) {
    if (place.try_emplace(reply.unit, prompts.size()).second) prompts.push_back(words_of(reply.prompt));
  }
  if (prompts.size() < 2) return {};
  const Rarity rarity(prompts);
  std::map<std::string, std::vector<double>> by_unit;
  for (const auto& reply : replies) {
    if (trim(reply.response).empty() || reply.status == Status::kError) continue;
    const double p = nearer(prompts, place.at(reply.unit), words_of(reply.response), rarity);
    by_unit[reply.unit].push_back(2.0 * p - 1.0);
  }
  std::vector<double> means;
  for (const auto& [unit, values] : by_unit) means.push_back(stats::mean(values));
  return clamped(stats::student_mean(means, "prompt"), -1.0, 1.0);
}

Estimate silent_rate(std::span<const OpenReply> replies) {
  double silent = 0.0;
  for (const auto& reply : replies) {
    if (reply.status == Status::kUnparseable || reply.status == Status::kError) silent += 1.0;
  }
  return stats::wilson(silent, replies.size(), "response");
}

}  // namespace

Validity assess_open(std::span<const OpenReply> replies, const GateThresholds& gate) {
  Validity validity;
  if (replies.empty()) {
    validity.note = "there are no responses of the subject's own";
    return validity;
  }
  validity.assessed = true;
  validity.checks = {judged({"content_sensitivity", "responses that fit their own prompt better than another, beyond chance",
                             gate.content_sensitivity, true},
                            content_sensitivity(replies), gate),
                     judged({"refusal_rate", "responses that are empty or failed", gate.refusal_rate, false},
                            silent_rate(replies), gate)};
  return validity;
}

}  // namespace valence
