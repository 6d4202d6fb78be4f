#include "valence/align/reward.h"

#include <algorithm>
#include <cmath>

#include "valence/stats/distribution.h"
#include "valence/values/fulcra_gap.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

double population_variance(std::span<const double> values) {
  const double centre = stats::mean(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::string_view to_string(RewardForm form) { return form == RewardForm::kL1 ? "l1" : "masked"; }

Result<RewardForm> reward_form_from(std::string_view text) {
  if (text == "l1") return RewardForm::kL1;
  if (text == "masked") return RewardForm::kMasked;
  return fail(ErrorCode::kUsage, "\"{}\" is no form of the reward; expected l1 or masked", text);
}

double value_reward(std::span<const double> e, std::span<const double> target, RewardForm form) {
  return form == RewardForm::kL1 ? -fulcra_l1(e, target) : fulcra_reward(e, target);
}

std::string_view to_string(EnsembleRule rule) {
  return rule == EnsembleRule::kMean ? "mean" : rule == EnsembleRule::kWorst ? "worst" : "uncertainty";
}

Result<EnsembleRule> ensemble_rule_from(std::string_view text) {
  if (text == "mean") return EnsembleRule::kMean;
  if (text == "worst") return EnsembleRule::kWorst;
  if (text == "uncertainty") return EnsembleRule::kUncertainty;
  return fail(ErrorCode::kUsage, "\"{}\" is no rule for an ensemble; expected mean, worst or uncertainty", text);
}

double ensemble_reward(std::span<const double> rewards, EnsembleRule rule, double lambda) {
  if (rewards.empty() || std::ranges::any_of(rewards, [](double r) { return std::isnan(r); })) return kUndefined;
  if (rule == EnsembleRule::kWorst) return *std::ranges::min_element(rewards);
  const double mean = stats::mean(rewards);
  return rule == EnsembleRule::kMean ? mean : mean - lambda * population_variance(rewards);
}

}  // namespace valence
