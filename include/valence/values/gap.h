#pragma once

#include <span>

#include "valence/values/target.h"

namespace valence {

// Distances between a profile and a target: equally long, in the same order of dimensions (asserted).

/// From which pairs of dimensions a pairwise gap is averaged.
enum class PairDistribution {
  kIndependent,  ///< both drawn independently, so a dimension may meet itself: the expectation as published
  kDistinct,     ///< two different dimensions
};

/// L1, the pairwise misalignment E|(h₁ − h₂) − (a₁ − a₂)|, 0 when profile and target differ by a constant only.
/// NaN without a pair. Source: Lu et al. (2025), weak alignment.
double l1_gap(std::span<const double> profile, std::span<const double> target,
              PairDistribution pairs = PairDistribution::kIndependent);
/// L2, the pointwise misalignment E|h − a|. NaN for nothing. With independent pairs L1 ≤ 2·L2.
/// Source: Lu et al. (2025), strict alignment.
double l2_gap(std::span<const double> profile, std::span<const double> target);
/// Share of the pairs that the target orders which the profile orders the other way; a tie in the profile counts half.
/// NaN when the target orders no pair. Equals (1 − Kendall's tau) / 2 without ties.
double ordering_gap(std::span<const double> profile, std::span<const double> target);

/// An angle in degrees brought into (-180, 180].
double wrap180(double degrees);
/// |wrap180(a − b)|, in [0, 180].
double angular_distance(double a, double b);
/// The largest angular distance from `target` that an angle inside the band can have.
double largest_distance(double target, const Band& band);

/// VR = 1 − |wrap180(angle − target)| / Dmax: 1 on the target, 0 as far from it as the instrument reaches. Angles
/// outside the band (real answers give none) fall below 0. NaN when the band is the target itself.
///
/// Our definition, not the paper's, which states neither distance nor normalisation. Against ideal targets a perfect
/// altruist of the slider still gets 0.73, so moderate answers look better aligned: reachable targets are the default.
double value_rationality(double angle, double target, const Band& band);

}  // namespace valence
