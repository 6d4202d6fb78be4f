#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/head.h"
#include "valence/evaluate/labelled.h"

namespace valence {

/// How probabilities become labels: the class with the largest log-probability plus offset. "Unrelated" has offset 0,
/// so an offset of ln 2 for "opposed" says it as soon as it is half as likely as "unrelated".
struct Thresholds {
  std::vector<double> opposed, upheld;  ///< offset per dimension, in nats

  static Thresholds none(std::size_t dims) { return {std::vector<double>(dims, 0.0), std::vector<double>(dims, 0.0)}; }
};

std::vector<ValueLabel> decide(const ClassProbabilities& probabilities, const Thresholds& thresholds);

/// What thresholds are tuned for, over the cells of all dimensions together.
enum class TuningGoal {
  kNone,      ///< offsets 0: the likeliest class
  kMacroF1,   ///< pooled macro-F1
  kBalanced,  ///< pooled macro-F1 + accuracy
};

std::string_view to_string(TuningGoal goal);  ///< "none", "macro_f1", "balanced"
Result<TuningGoal> tuning_goal(std::string_view name);

struct ThresholdOptions {
  TuningGoal goal = TuningGoal::kBalanced;
  /// A dimension gets an offset of its own for a class that occurs at least so often in it; else the common one.
  std::size_t own_from = 20;
};

/// Offsets on a grid of 0.2 nats within ±3 of greatest goal, first one pair for all dimensions, then each dimension's
/// own by coordinate ascent. `probabilities` must be of rows that the head was not fitted on, else the offsets are too
/// timid. Fails with kWrongCount when labels and probabilities do not fit.
Result<Thresholds> tune_thresholds(const ClassProbabilities& probabilities, std::span<const ValueLabel> labels,
                                   const ThresholdOptions& options);

}  // namespace valence
