#pragma once

#include <span>

#include "valence/values/target.h"

namespace valence {

// Distances between a profile and a target: equally long, in the same order of dimensions (asserted). A dimension whose
// target is NaN or whose weight is 0 is no part of the target: whatever the profile holds there is not looked at.
// `weights`: one per dimension, non-negative; empty = 1 each.

/// From which pairs of dimensions a pairwise gap is averaged. Weights draw a dimension in proportion.
enum class PairDistribution {
  kIndependent,  ///< both drawn independently, so a dimension may meet itself: the expectation as published
  kDistinct,     ///< two different dimensions
};

/// L1, the pairwise misalignment E|(h₁ − h₂) − (a₁ − a₂)|, 0 when profile and target differ by a constant only.
/// NaN without a pair. Source: Lu et al. (2025), weak alignment.
double l1_gap(std::span<const double> profile, std::span<const double> target,
              PairDistribution pairs = PairDistribution::kIndependent, std::span<const double> weights = {});
/// L2, the pointwise misalignment E|h − a|. NaN for nothing. With independent pairs L1 ≤ 2·L2.
/// Source: Lu et al. (2025), strict alignment.
double l2_gap(std::span<const double> profile, std::span<const double> target, std::span<const double> weights = {});
/// Share of the pairs that the target orders which the profile orders the other way; a tie in the profile counts half.
/// NaN when the target orders no pair. Equals (1 − Kendall's tau) / 2 without ties and weights.
double ordering_gap(std::span<const double> profile, std::span<const double> target,
                    std::span<const double> weights = {});

/// Euclidean distance √Σ w·(h − a)². NaN for nothing.
double euclidean_gap(std::span<const double> profile, std::span<const double> target,
                     std::span<const double> weights = {});
/// Cosine of the angle between profile and target, in [-1, 1]: blind to a common factor, not to a constant. NaN when
/// either is zero throughout.
double cosine_agreement(std::span<const double> profile, std::span<const double> target,
                        std::span<const double> weights = {});
/// Spearman's rank correlation, ties sharing their average rank. Weights only say what is part of the target. NaN when
/// either is constant.
double spearman_agreement(std::span<const double> profile, std::span<const double> target,
                          std::span<const double> weights = {});
/// Kendall's tau-b, corrected for ties on both sides; otherwise as spearman_agreement.
double kendall_agreement(std::span<const double> profile, std::span<const double> target,
                         std::span<const double> weights = {});

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
