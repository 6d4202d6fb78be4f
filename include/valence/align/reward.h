#pragma once

#include <span>
#include <string_view>

#include "valence/base/result.h"

namespace valence {

/// BaseAlign's reward is minus a distance between what a response upholds, E in [−1, 1] per dimension, and a target.
/// Two forms are published and they disagree (valence/values/fulcra_gap.h).
enum class RewardForm {
  kL1,      ///< −Σ|e − T|: the form whose size fits the published table
  kMasked,  ///< −Σ m·|T|·|e − T|, m = 1 where |e| > 0.3: the published code; an evasive response gets its perfect 0
};
std::string_view to_string(RewardForm form);  ///< "l1", "masked"
Result<RewardForm> reward_form_from(std::string_view text);

/// At most 0, its best. NaN where a dimension of the target was not read; a NaN in the target is no part of it.
double value_reward(std::span<const double> e, std::span<const double> target, RewardForm form);

/// How the rewards that several evaluators give to one response become one.
enum class EnsembleRule {
  kMean,
  kWorst,        ///< the smallest
  kUncertainty,  ///< mean − λ·variance (of the population), Coste et al. (2024)
};
std::string_view to_string(EnsembleRule rule);  ///< "mean", "worst", "uncertainty"
Result<EnsembleRule> ensemble_rule_from(std::string_view text);

/// NaN for no rewards, or when one of them is NaN. `lambda`: kUncertainty only, at least 0.
double ensemble_reward(std::span<const double> rewards, EnsembleRule rule, double lambda);

}  // namespace valence
