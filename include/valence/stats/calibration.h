#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"
#include "valence/stats/estimate.h"

namespace valence::stats {

/// How predicted probabilities are put into bins.
enum class Binning {
  kEqualWidth,  ///< [0, 1/b), [1/b, 2/b), … ; the last one closed
  kEqualCount,  ///< as many cases in each as ties allow: equal probabilities stay together
};

/// One bin of a reliability curve.
struct ReliabilityBin {
  double low, high;         ///< probabilities that fall here: the bin's ends, or the least and greatest in it
  double mean_probability;  ///< what was promised
  Estimate observed;        ///< what happened: share with Wilson's interval, which takes the cases as independent
};

/// Promised against observed frequency of an event, in bins that hold a case. `happened`: 0 or 1 per case.
/// Cases of one prompt are not independent: with several per prompt the bins' intervals are too narrow; the curve
/// itself and its error are not affected. Fails with kWrongCount when lengths differ, there is no case or no bin,
/// kInvalid outside [0, 1].
Result<std::vector<ReliabilityBin>> reliability_curve(std::span<const double> probability,
                                                      std::span<const double> happened, std::size_t bins,
                                                      Binning binning = Binning::kEqualWidth, double level = 0.95);

/// Expected calibration error: Σ (cases in bin / cases) · |promised − observed| (Naeini et al. 2015). It depends on the
/// binning, so a figure is printed with its bins.
double expected_calibration_error(std::span<const ReliabilityBin> curve);

}  // namespace valence::stats
