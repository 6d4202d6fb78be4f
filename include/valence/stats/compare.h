#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/stats/estimate.h"
#include "valence/stats/resample.h"

namespace valence::stats {

/// A difference and how surprising it would be if there were none.
struct Comparison {
  Estimate difference;  ///< second − first
  double p = 1.0;       ///< two-sided, uncorrected; NaN without an interval
};

/// One estimand of two subjects over the same units, from bootstrap replicates made with the same weights (same units,
/// clusters and seed): replicate r of one belongs to replicate r of the other.
struct PairedReplicates {
  double first = 0.0, second = 0.0;  ///< estimates
  std::span<const double> first_replicates, second_replicates;
  std::size_t units = 0;  ///< random units
  std::size_t draws = 0;  ///< clusters, or units where nothing is clustered
};

/// The paired difference with the interval of default_interval_method and the p value that inverts that interval: the
/// smallest 1 − level at which it excludes 0. From R replicates no p below that of a tail of 1/(R + 1) is claimed.
/// Fails with kWrongCount when the replicates differ in number.
Result<Comparison> compare_paired(const PairedReplicates& pair, std::string_view unit, double level = 0.95);

/// Every estimand of two administrations. Fails with kMismatch when units, draws, seed, replicates or estimands
/// differ, since then the weights were not the same.
Result<std::vector<Comparison>> compare_paired(const Replicates& first, const Replicates& second,
                                               std::string_view unit, double level = 0.95);

/// The same for subjects that share no units: Student's t on the two bootstrap standard errors with Welch's degrees of
/// freedom (Welch 1947). Fails with kWrongCount when the number of estimands differs.
Result<std::vector<Comparison>> compare_independent(const Replicates& first, const Replicates& second,
                                                    std::string_view unit, double level = 0.95);

/// Adjusted p values, in the order given. NaN stays NaN and does not count as a member of the family.
/// Holm (1979): controls the chance of any false claim. Benjamini and Hochberg (1995): the expected share of false
/// claims, for independent or positively dependent tests.
std::vector<double> holm(std::span<const double> p);
std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace valence::stats
