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

/// A head on features.
struct EvaluatorPart {
  std::vector<std::string> features = {"tfidf"};  ///< ids of families, put beside each other
  HeadOptions head;
  /// Penalties to choose from by inner cross-validated log loss; empty: head.l2.
  std::vector<double> l2_grid;
};

/// How an evaluator is made: everything that is chosen before data is seen.
struct EvaluatorRecipe {
  /// Several parts are an ensemble: the mean of their log-probabilities, normalised (the logarithmic opinion pool;
  /// Genest and Zidek 1986).
  std::vector<EvaluatorPart> parts = {EvaluatorPart{}};
  std::size_t inner_folds = 3;  ///< by prompt, within the training rows: for penalties and thresholds
  ThresholdOptions thresholds;
  /// The pool's log-probabilities are multiplied by it: p ∝ p^sharpness. A mean of logarithms says less than its parts
  /// know, and E = p(+1) − p(−1) is then drawn towards 0.
  double sharpness = 1.0;
  std::vector<double> sharpness_grid;  ///< to choose from by inner cross-validated mean |E − label|; empty: `sharpness`
  std::uint64_t seed = 1;              ///< of the inner folds

  std::vector<std::string> features() const;  ///< of all parts, each once, in the order in which they come
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
  std::size_t auxiliary = 0;           ///< further rows that were learnt from (LabelledData::auxiliary)
  std::vector<std::string> fitted_on;  ///< response_id of every row that was learnt from, sorted
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

  /// A fitted part.
  struct Member {
    std::vector<Block> blocks;
    Head head;

    std::size_t columns() const;
    Result<ClassProbabilities> evaluate(std::span<const PromptedText> texts) const;
  };

  /// As many members as the recipe has parts (asserted).
  Evaluator(std::string space, std::vector<std::string> dimensions, EvaluatorRecipe recipe, std::vector<Member> members,
            Thresholds thresholds, EvaluatorProvenance provenance);

  const std::string& space() const { return space_; }
  const std::vector<std::string>& dimensions() const { return dimensions_; }
  const EvaluatorRecipe& recipe() const { return recipe_; }  ///< with the penalties that were chosen
  const std::vector<Member>& members() const { return members_; }
  const Thresholds& thresholds() const { return thresholds_; }
  const EvaluatorProvenance& provenance() const { return provenance_; }
  EvaluatorProvenance& provenance() { return provenance_; }

  Result<ClassProbabilities> evaluate(std::span<const PromptedText> texts) const;
  /// The features of all members, beside each other.
  Result<FeatureMatrix> features(std::span<const PromptedText> texts) const;

 private:
  std::string space_;
  std::vector<std::string> dimensions_;
  EvaluatorRecipe recipe_;
  std::vector<Member> members_;
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
