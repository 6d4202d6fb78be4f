#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"
#include "valence/evaluate/folds.h"

namespace valence {

/// What an evaluator said about labelled rows that it was not fitted on.
struct HeldOut {
  std::string evaluator;  ///< for people: "tfidf, logistic"
  std::size_t dims = 0;
  std::vector<std::string> prompts;  ///< prompt_key per row: the random unit
  std::vector<std::string> responders;
  std::vector<ValueLabel> labels;   ///< [row][dimension]
  std::vector<ValueLabel> decided;  ///< by thresholds tuned on training rows only
  ClassProbabilities probabilities;

  std::size_t rows() const { return prompts.size(); }
  HeldOut subset(std::span<const std::size_t> which) const;
};

/// Every row by the evaluator of its fold, trained by `recipe` on all other folds: features, penalty and thresholds
/// anew each time.
Result<HeldOut> cross_validate(const LabelledData& data, const Folds& folds, const FeatureFamilies& families,
                               const EvaluatorRecipe& recipe, Progress& progress, const std::stop_token& stop = {});

/// One evaluator on rows that it has not seen. Fails with kMismatch, saying how many, when it was fitted on some of
/// them, or when its space is another.
Result<HeldOut> hold_out(const Evaluator& evaluator, const LabelledData& data);
/// The rows that the evaluator was not fitted on.
std::vector<std::size_t> unseen_rows(const Evaluator& evaluator, const LabelledData& data);

/// Who needs no training, in the same folds.
enum class TrivialEvaluator {
  kAllUnrelated,  ///< always 0
  kMajority,      ///< per dimension the commonest class of the training folds
  kAlwaysUpheld,  ///< always +1
};
HeldOut trivial_held_out(const LabelledData& data, const Folds& folds, TrivialEvaluator kind);

/// "tfidf + dictionary, logistic"; parts of an ensemble are separated by "; ", "sharpened" comes last.
std::string describe(const EvaluatorRecipe& recipe);

/// Figures on the same test folds after training on a part of the prompts of the other folds.
struct LearningPoint {
  double share = 1.0;      ///< of the training prompts, drawn by hash: smaller parts lie within larger ones
  double mean_rows = 0.0;  ///< training rows, mean over folds
  HeldOut held_out;
};
Result<std::vector<LearningPoint>> learning_curve(const LabelledData& data, const Folds& folds,
                                                  const FeatureFamilies& families, const EvaluatorRecipe& recipe,
                                                  std::span<const double> shares, Progress& progress,
                                                  const std::stop_token& stop = {});

}  // namespace valence
