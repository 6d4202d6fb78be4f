#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/evaluate/features.h"
#include "valence/evaluate/head.h"
#include "valence/evaluate/labelled.h"
#include "valence/evaluate/thresholds.h"

namespace valence {

/// How an evaluator is made: everything that is chosen before data is seen.
struct EvaluatorRecipe {
  std::vector<std::string> features = {"tfidf"};  ///< ids of families, put beside each other
  HeadOptions head;
  /// Penalties to choose from by inner cross-validated log loss; empty: head.l2.
  std::vector<double> l2_grid;
  std::size_t inner_folds = 3;  ///< by prompt, within the training rows: for the penalty and the thresholds
  ThresholdOptions thresholds;
  std::uint64_t seed = 1;  ///< of the inner folds
};

/// A responder as read by an evaluator that was fitted on the others only: how far readings travel.
struct UnseenResponder {
  std::string responder;
  std::size_t rows = 0;
  std::vector<double> read, labelled;  ///< [dimension][class]: mean probabilities as read, shares of the labels
};

/// What a reader of its figures must know.
struct EvaluatorProvenance {
  std::string data;         ///< name of the training data
  std::string data_sha256;  ///< of the file; may be empty
  std::size_t rows = 0, prompts = 0;
  std::vector<std::string> fitted_on;                           ///< response_id of every training row, sorted
  std::vector<std::pair<std::string, std::size_t>> responders;  ///< and their rows
  std::string program;                                          ///< version that made it
  std::vector<UnseenResponder> unseen;                          ///< empty: it was not looked at
};

/// f(prompt, response) → probabilities of opposed, unrelated and upheld, per dimension.
class Evaluator {
 public:
  struct Block {
    std::string family;
    std::shared_ptr<const FeatureMap> map;
  };

  Evaluator(std::string space, std::vector<std::string> dimensions, EvaluatorRecipe recipe, std::vector<Block> blocks,
            Head head, Thresholds thresholds, EvaluatorProvenance provenance);

  const std::string& space() const { return space_; }
  const std::vector<std::string>& dimensions() const { return dimensions_; }
  const EvaluatorRecipe& recipe() const { return recipe_; }  ///< with the penalty that was chosen
  const std::vector<Block>& blocks() const { return blocks_; }
  const Head& head() const { return head_; }
  const Thresholds& thresholds() const { return thresholds_; }
  const EvaluatorProvenance& provenance() const { return provenance_; }
  EvaluatorProvenance& provenance() { return provenance_; }

  Result<FeatureMatrix> features(std::span<const PromptedText> texts) const;
  Result<ClassProbabilities> evaluate(std::span<const PromptedText> texts) const;

 private:
  std::string space_;
  std::vector<std::string> dimensions_;
  EvaluatorRecipe recipe_;
  std::vector<Block> blocks_;
  Head head_;
  Thresholds thresholds_;
  EvaluatorProvenance provenance_;
};

/// Fits features and head on all rows. Penalty and thresholds come from inner folds by prompt, in which features are
/// fitted anew: no row helps to choose by which it is judged. `stop` ends it between fits with kStopped.
Result<Evaluator> train_evaluator(const LabelledData& data, const FeatureFamilies& families,
                                  const EvaluatorRecipe& recipe, Progress& progress, const std::stop_token& stop = {});

/// How many heads train_evaluator fits, for progress.
std::size_t fits_of(const EvaluatorRecipe& recipe);

}  // namespace valence
