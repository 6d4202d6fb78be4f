#pragma once

#include <span>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"

namespace valence {

/// Where an evaluator has seen texts like this one: it was fitted on some responses and reads others, and what it says
/// of a text that resembles none of them is a guess.
class TrainingDomain {
 public:
  /// `fitted`: the texts that the evaluator was fitted on. `calibration`: responses of the same kind that it was not
  /// fitted on; the share `share` of them that lies nearest counts as inside, by the conformal quantile. kWrongCount
  /// without texts, or with so few for calibration that the quantile is infinite.
  static Result<TrainingDomain> of(const Evaluator& evaluator, std::span<const PromptedText> fitted,
                                   std::span<const PromptedText> calibration, double share = 0.95);

  /// 1 − the largest cosine with a fitted text in the evaluator's feature space, in [0, 2]; 1 for a text without a
  /// known feature.
  Result<std::vector<double>> distances(std::span<const PromptedText> texts) const;
  /// A text farther than this is outside.
  double limit() const { return limit_; }

 private:
  TrainingDomain(const Evaluator& evaluator, FeatureMatrix fitted);

  const Evaluator* evaluator_;  // outlives this
  std::size_t rows_ = 0;
  /// Fitted rows by column, scaled to length 1.
  std::vector<std::size_t> starts_;
  std::vector<std::uint32_t> row_;
  std::vector<float> value_;
  double limit_ = 0.0;
};

}  // namespace valence
