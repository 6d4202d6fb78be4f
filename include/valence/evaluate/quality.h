#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/evaluate/cross_validate.h"
#include "valence/stats/calibration.h"
#include "valence/stats/compare.h"
#include "valence/stats/conformal.h"
#include "valence/stats/estimate.h"

namespace valence {

/// One figure of an evaluator's quality; the random unit is the prompt.
struct QualityFigure {
  std::string id;         ///< "macro_f1", "f1_opposed", …
  std::string dimension;  ///< empty: cells of all dimensions together
  std::string label;      ///< for people
  Estimate estimate;
};

/// Probabilities of one class over the cells of all dimensions, against what happened.
struct ClassCalibration {
  std::string label_class;  ///< "opposed", "unrelated", "upheld"
  std::vector<stats::ReliabilityBin> curve;
  double error = 0.0;  ///< expected calibration error over these bins
};

struct QualityOptions {
  std::size_t replicates = 1000;
  std::uint64_t seed = 1;  ///< of the bootstrap and of the conformal halves
  double level = 0.95;
  std::size_t bins = 10;  ///< of equal count, for calibration
  double coverage = 0.9;  ///< promised by the conformal sets
};

struct QualityReport {
  std::string evaluator;
  std::size_t rows = 0, prompts = 0;
  std::vector<std::string> dimensions;
  std::vector<QualityFigure> figures;  ///< pooled ones first, then by dimension
  std::vector<ClassCalibration> calibration;
  /// Sets with coverage per class, thresholds from one half of the prompts and figures from the other, cells of all
  /// dimensions together: the promise holds over dimensions on average, not within each. None where a half is empty.
  std::optional<stats::ConformalFigures> conformal;
  double conformal_coverage = 0.9;

  const Estimate& of(std::string_view id,
                     std::string_view dimension = "") const;  ///< throws std::out_of_range if there is none
};

/// Figures of held-out predictions, with intervals by the bootstrap over prompts. Pooled: accuracy, macro_f1, f1,
/// precision and recall of each class, sign_accuracy and soft_error (of p(+1) − p(−1)), auroc_opposed and auroc_upheld
/// (mean over dimensions where both sides occur). By dimension: accuracy, macro_f1, f1 of each class, both AUROCs.
/// Fails with kWrongCount without rows.
Result<QualityReport> quality_report(const HeldOut& held, const std::vector<std::string>& dimensions,
                                     const QualityOptions& options = {});

/// Second − first on the same rows, paired by prompt: accuracy, macro_f1, f1_opposed, f1_upheld, soft_error, in this
/// order. Fails with kMismatch when the rows are not the same.
struct QualityDifference {
  std::string id;
  stats::Comparison comparison;
  double p_holm = 1.0;  ///< over the figures compared
};
Result<std::vector<QualityDifference>> compare_quality(const HeldOut& first, const HeldOut& second,
                                                       const QualityOptions& options = {});

Json to_json(const QualityReport& report);

}  // namespace valence
