#include "valence/align/pair_accuracy.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "valence/stats/bootstrap.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"
#include "valence/stats/resample.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

/// 1 when the first is larger, a half when both are equal.
double wins(double first, double second) { return first > second ? 1.0 : first == second ? 0.5 : 0.0; }

/// By how many tokens the better answer of a pair is longer.
double longer_by(const TrainingExample& pair) {
  return static_cast<double>(pair.paths.at(0).learned()) - static_cast<double>(pair.paths.at(1).learned());
}

bool longer_is_better(std::span<const TrainingExample> training) {
  double won = 0.0;
  for (const auto& pair : training) won += wins(longer_by(pair), 0.0) - 0.5;
  return won >= 0.0;
}

/// The tokens before the answer: pairs with the same are of one prompt.
std::vector<TokenId> prompt_of(const TrainingExample& pair) {
  const auto& path = pair.paths.at(0);
  return std::vector<TokenId>(path.tokens.begin(),
                              path.tokens.begin() + static_cast<std::ptrdiff_t>(path.learned_from));
}

std::vector<std::size_t> prompt_numbers(std::span<const TrainingExample> pairs) {
  std::map<std::vector<TokenId>, std::size_t> numbers;
  std::vector<std::size_t> prompts;
  for (const auto& pair : pairs) prompts.push_back(numbers.emplace(prompt_of(pair), numbers.size()).first->second);
  return prompts;
}

/// Prompts on both sides, whatever was answered there: two files may share some, and one file twice shares all.
std::size_t count_trained_on(std::span<const TrainingExample> training, std::span<const TrainingExample> held_out) {
  std::set<std::vector<TokenId>> trained, shared;
  for (const auto& pair : training) trained.insert(prompt_of(pair));
  for (const auto& pair : held_out) {
    auto prompt = prompt_of(pair);
    if (trained.contains(prompt)) shared.insert(std::move(prompt));
  }
  return shared.size();
}

/// A share from its bootstrap; where every pair came out alike that has no width, and Wilson's interval of as many
/// prompts says what is known.
Estimate share(const Estimate& bootstrap, std::size_t prompts) {
  if (bootstrap.value > 0.0 && bootstrap.value < 1.0) return within(bootstrap, 0.0, 1.0);
  return stats::wilson(bootstrap.value * static_cast<double>(prompts), prompts, "prompt");
}

}  // namespace

Result<PairAccuracy> pair_accuracy(std::span<const TrainingExample> training, std::span<const TrainingExample> held_out,
                                   std::span<const double> margins, std::uint64_t seed) {
  if (held_out.empty()) return fail(ErrorCode::kUsage, "there are no held-out pairs to look at");
  if (margins.size() != held_out.size())
    return fail(ErrorCode::kWrongCount, "{} held-out pairs have {} margins", held_out.size(), margins.size());
  PairAccuracy accuracy;
  accuracy.longer = longer_is_better(training);
  accuracy.pairs = held_out.size();
  std::vector<double> reward, length;
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    reward.push_back(wins(margins[i], 0.0));
    length.push_back(accuracy.longer ? wins(longer_by(held_out[i]), 0.0) : wins(0.0, longer_by(held_out[i])));
  }
  const auto prompts = prompt_numbers(held_out);
  accuracy.prompts = stats::count_draws(held_out.size(), prompts);
  accuracy.prompts_trained_on = count_trained_on(training, held_out);
  const auto estimate = [&](std::span<const double> weights) {
    const double a = stats::weighted_mean(reward, weights), b = stats::weighted_mean(length, weights);
    return std::vector{a, b, a - b};
  };
  VALENCE_TRY(const auto replicates,
              stats::replicate(estimate, held_out.size(), prompts, stats::kDefaultReplicates, seed));
  const auto intervals = stats::intervals(replicates, "prompt");
  accuracy.reward = share(intervals[0], accuracy.prompts);
  accuracy.length = share(intervals[1], accuracy.prompts);
  accuracy.difference = within(intervals[2], -1.0, 1.0);
  return accuracy;
}

Json to_json(const PairAccuracy& accuracy) {
  return {{"pairs", accuracy.pairs},
          {"prompts", accuracy.prompts},
          {"prompts_trained_on", accuracy.prompts_trained_on},
          {"reward", to_json(accuracy.reward)},
          {"length", to_json(accuracy.length)},
          {"difference", to_json(accuracy.difference)},
          {"length_rule", accuracy.longer ? "the longer answer is better" : "the shorter answer is better"}};
}

}  // namespace valence
