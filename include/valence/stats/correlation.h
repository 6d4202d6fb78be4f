#pragma once

#include <span>
#include <vector>

namespace valence::stats {

/// Correlations of two equally long series, in [-1, 1]. NaN when either is constant or shorter than two.
/// Both must have the same length (asserted).
double pearson(std::span<const double> x, std::span<const double> y);
/// Pearson's correlation of mid-ranks.
double spearman(std::span<const double> x, std::span<const double> y);
/// Kendall's tau-b, corrected for ties (Kendall 1945).
double kendall_tau_b(std::span<const double> x, std::span<const double> y);

/// Ranks from 1; equal values share the mean of their ranks.
std::vector<double> mid_ranks(std::span<const double> values);

}  // namespace valence::stats
