#pragma once

#include <limits>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "valence/align/reward.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"
#include "valence/values/target.h"

namespace valence {

struct RewardOptions {
  RewardForm form = RewardForm::kL1;
  EnsembleRule rule = EnsembleRule::kMean;
  double lambda = 1.0;
};

/// What a response is worth; where it is read as values, in both published forms, and how much of the target it
/// touches. Mean e over evaluators.
struct ValueReading {
  double reward = 0.0;  ///< of the form and rule asked for
  double l1 = 0.0, masked = 0.0, coverage = 0.0;
  double outside =
      std::numeric_limits<double>::quiet_NaN();  ///< 1: unlike what the evaluator was fitted on; NaN = not known
  std::vector<double> e;                         ///< empty where a reward model gave the reward; then only that is told
};

/// kUsage when readings cannot be held against the target, naming the map that would bring it to their scale.
Result<void> require_unit_scale(const Target& target);

/// Evaluators that read responses with a view to a target.
class ValueReader {
 public:
  /// `names`: evaluators (evaluate/shipped_evaluator.h) separated by commas. kUsage when one reads another space than
  /// the target's, or when the target is not on the unit scale, naming the map that would bring it there.
  static Result<ValueReader> open(const std::string& names, const Target& target, const RewardOptions& options,
                                  Progress& progress, const std::stop_token& stop);
  ValueReader(std::vector<Evaluator> evaluators, std::vector<double> target, const RewardOptions& options);

  Result<std::vector<ValueReading>> read(std::span<const PromptedText> texts) const;
  const std::vector<Evaluator>& evaluators() const { return evaluators_; }

 private:
  ValueReading reading_of(std::span<const std::vector<double>> readings) const;

  std::vector<Evaluator> evaluators_;
  std::vector<double> target_;  // per dimension of the evaluators; NaN = no part of it
  RewardOptions options_;
};

/// How many rows both were fitted on: a reward cannot be watched by an evaluator that learned from the same labels.
std::size_t shared_rows(const ValueReader& first, const ValueReader& second);
/// Which features both read: families by their names (docs/evaluators.md), all families of one model's vectors as that
/// model.
std::vector<std::string> shared_features(const ValueReader& first, const ValueReader& second);

}  // namespace valence
