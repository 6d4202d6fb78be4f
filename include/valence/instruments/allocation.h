#pragma once

#include <span>
#include <vector>

namespace valence {

/// A point of the self–other plane, in coins (0–100).
struct Allocation {
  double self;
  double other;
};

/// What a division is worth to somebody who looks in a direction of the ring (degrees): own·cos a + other·sin a, coins.
double payoff_towards(const Allocation& coins, double degrees);

/// The divisions that are worth most in a direction, sharing the probability: the answer of whoever looks that way.
std::vector<double> best_allocations(std::span<const Allocation> options, double degrees);

/// The same on a slider, whose divisions are points of one line rounded to whole coins: a line whose ends are worth the
/// same is worth the same everywhere, so that all its points share; else its best end gets all.
std::vector<double> best_on_slider(std::span<const Allocation> options, double degrees);

/// Expected worth in a direction between the worst option (0) and the best (1); NaN where all are worth the same.
double share_attained(std::span<const Allocation> options, std::span<const double> probability, double degrees);

}  // namespace valence
