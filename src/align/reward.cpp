#include "valence/align/reward.h"

#include <algorithm>
#include <cmath>

#include "valence/base/names.h"
#include "valence/stats/distribution.h"
#include "valence/values/fulcra_gap.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

constexpr Names<RewardForm, 2> kForms{{{RewardForm::kL1, "l1"}, {RewardForm::kMasked, "masked"}}};
constexpr Names<EnsembleRule, 3> kRules{
    {{EnsembleRule::kMean, "mean"}, {EnsembleRule::kWorst, "worst"}, {EnsembleRule::kUncertainty, "uncertainty"}}};

double population_variance(std::span<const double> values) {
  const double centre = stats::mean(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::string_view to_string(RewardForm form) { return name_of(kForms, form); }
Result<RewardForm> reward_form_from(std::string_view text) { return value_of(kForms, "form of the reward", text); }

double value_reward(std::span<const double> e, std::span<const double> target, RewardForm form) {
  return form == RewardForm::kL1 ? -fulcra_l1(e, target) : fulcra_reward(e, target);
}

std::string_view to_string(EnsembleRule rule) { return name_of(kRules, rule); }
Result<EnsembleRule> ensemble_rule_from(std::string_view text) { return value_of(kRules, "rule of an ensemble", text); }

double ensemble_reward(std::span<const double> rewards, EnsembleRule rule, double lambda) {
  if (rewards.empty() || std::ranges::any_of(rewards, [](double r) { return std::isnan(r); })) return kUndefined;
  if (rule == EnsembleRule::kWorst) return *std::ranges::min_element(rewards);
  const double mean = stats::mean(rewards);
  return rule == EnsembleRule::kMean ? mean : mean - lambda * population_variance(rewards);
}

}  // namespace valence
