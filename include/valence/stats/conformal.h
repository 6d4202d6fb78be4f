#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"
#include "valence/stats/estimate.h"

namespace valence::stats {

/// For whom the stated coverage holds.
enum class ConformalCoverage {
  kMarginal,  ///< over all cases: a rare class may be missed most of the time
  kPerClass,  ///< within each class (Vovk 2012, Mondrian): the choice where a class is rare
};

/// The ⌈(n + 1)·coverage⌉-th smallest of n scores, so that another score that is exchangeable with them is at most this with
/// probability at least `coverage`; +infinity when there are too few scores to promise that.
double conformal_quantile(std::vector<double> scores, double coverage);

/// Which classes go into a prediction set: those whose score 1 − p is at most the class's threshold.
struct ConformalThresholds {
  double coverage = 0.0;                 ///< promised, in (0, 1)
  std::vector<double> threshold;         ///< per class; +infinity: too few calibration cases, always in the set
  std::vector<std::size_t> calibration;  ///< cases behind each threshold
};

/// Split conformal prediction from cases that the classifier was not fitted on and that are exchangeable with those to
/// come (one per prompt, or prompts with one response each). The threshold is the ⌈(n + 1)·coverage⌉-th smallest score
/// 1 − p(truth) of n calibration cases, so a new case's class is in its set with probability at least `coverage`,
/// whatever the classifier (Vovk, Gammerman and Shafer 2005; Angelopoulos and Bates 2023, §1). `probability`:
/// [case][class], `truth` below `classes`. Fails with kWrongCount when lengths do not fit, with kInvalid on a coverage
/// outside (0, 1).
Result<ConformalThresholds> conformal_thresholds(std::span<const double> probability,
                                                 std::span<const std::size_t> truth, std::size_t classes,
                                                 double coverage, ConformalCoverage kind);

/// The classes of one case's set, in increasing order; may be empty.
std::vector<std::size_t> conformal_set(std::span<const double> probability, const ConformalThresholds& thresholds);

/// What the sets did on other cases.
struct ConformalFigures {
  Estimate coverage;  ///< share of cases whose class is in the set, Wilson's interval
  std::vector<Estimate> by_class;
  double mean_size = 0.0;   ///< classes per set
  double singletons = 0.0;  ///< share of sets of one class
};
ConformalFigures conformal_figures(std::span<const double> probability, std::span<const std::size_t> truth,
                                   const ConformalThresholds& thresholds, double level = 0.95);

}  // namespace valence::stats
