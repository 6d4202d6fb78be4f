#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/stats/estimate.h"
#include "valence/stats/resample.h"

namespace valence::stats {

/// Reliability of a whole measurement from the correlation of two parts of it that hold the shares `share` and
/// 1 − `share` of its units. Equal halves: 2r / (1 + r) (Spearman 1910; Brown 1910); unequal parts: Horst (1951).
/// A correlation of 0 or below gives itself: no noise model turns it into a reliability. `share` in (0, 1).
double spearman_brown(double part_correlation, double share = 0.5);

/// How alike two halves of the random units order the same figures.
struct SplitHalf {
  double half_correlation = 0.0;  ///< mean Spearman over splits; NaN when too few splits are defined
  double reliability = 0.0;       ///< of the whole; NaN likewise. May be negative: it is never clipped
  std::size_t splits = 0;         ///< splits in which both halves had an order
};

inline constexpr std::size_t kSplits = 200;

/// Splits units (whole clusters where there are any) at random into two parts as equal as possible, `splits` times; the
/// figures of each part are put in order, those undefined in either left out (below three left: the split does not
/// count). Weights of a part are scaled up so that it weighs as much as the whole. Fewer than 4 draws, or fewer than
/// half of the splits defined: NaN. Fails with kWrongCount as stats::replicate.
Result<SplitHalf> split_half(const WeightedEstimator& estimate, std::size_t units,
                             std::span<const std::size_t> clusters, std::size_t splits, std::uint64_t seed);

/// The same of a bootstrap replicate: `weights` say how often each unit was drawn. A unit that was drawn twice stands in
/// one part with both its copies, or the halves would agree because they share it; draws of weight 0 are in neither.
/// Two distinct draws are enough here: what is asked for is the spread over replicates.
Result<SplitHalf> split_half_of_replicate(const WeightedEstimator& estimate, std::span<const double> weights,
                                          std::span<const std::size_t> clusters, std::size_t splits,
                                          std::uint64_t seed);

/// Least reliability that a correction may divide by: below it the correction more than doubles the correlation, and
/// the reliability of a dozen figures is itself too uncertain to divide by.
inline constexpr double kLeastReliability = 0.25;

/// r / √(reliability · reliability): what the correlation would be without noise on either side (Spearman 1904). May
/// lie outside [−1, 1], which says that a reliability was underestimated: not clipped. NaN where a reliability is
/// undefined or below kLeastReliability. Exact for Pearson's correlation, an approximation for ranks.
double disattenuated(double correlation, double first_reliability, double second_reliability);

/// Spearman's correlation of the figures that are defined on both sides; NaN with fewer than `fewest` of them.
double spearman_of_defined(std::span<const double> x, std::span<const double> y, std::size_t fewest);

/// A profile that can be measured again: figures under weights of its random units.
struct ResampledProfile {
  WeightedEstimator figures;
  std::size_t units = 0;
  std::vector<std::size_t> clusters;  ///< empty, or one per unit
};

/// Rank correlation of two profiles of the same dimensions, each with noise of its own.
struct ProfileCorrelation {
  Estimate spearman;
  Estimate disattenuated;  ///< spearman / √(product of reliabilities); undefined below kLeastReliability
  double first_reliability = 0.0, second_reliability = 0.0;  ///< split half; NaN where it cannot be formed
};

inline constexpr std::size_t kReplicateSplits = 20;  ///< of each bootstrap replicate

/// Both sides are resampled independently, each over its own units; the interval is widened for the smaller number of
/// draws. Reliabilities are found anew in every replicate: a replicate is noisier than the data, and its reliability is
/// lower by as much as its correlation is. Dimensions that a replicate leaves undefined are left out of that replicate;
/// one with fewer than `fewest` left, or with a reliability below kLeastReliability, is undefined. Fails as replicate.
Result<ProfileCorrelation> correlate_profiles(const ResampledProfile& first, const ResampledProfile& second,
                                              std::size_t fewest, std::string_view unit, std::size_t replicates,
                                              std::uint64_t seed);

/// Two-sided p that a rank correlation as large (in absolute value) arises when the second series' order has nothing to
/// do with the first's: over all orders of up to 8 values, over `draws` random ones (plus the observed) above.
/// NaN when either series is constant.
double spearman_permutation_p(std::span<const double> x, std::span<const double> y, std::size_t draws,
                              std::uint64_t seed);

}  // namespace valence::stats
