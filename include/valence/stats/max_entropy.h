#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "valence/base/result.h"

namespace valence::stats {

/// The distribution over the steps 0, 1, … `steps` − 1 that says nothing beyond its mean and, where given, its standard
/// deviation: of all that have them the one with the largest entropy. With the mean alone p(x) ∝ exp(ax), with both
/// p(x) ∝ exp(ax + bx²); at a bound it is the one distribution that there is (both ends, or the two steps around the
/// mean).
///
/// kInvalid for fewer than two steps, a mean outside [0, steps − 1], and a deviation that no distribution with that
/// mean has: with f the mean's fraction, its square lies within [f(1 − f), mean·(steps − 1 − mean)]. The message says
/// which. Source: Jaynes (1957), Information Theory and Statistical Mechanics, eq. 2–6.
Result<std::vector<double>> max_entropy(std::size_t steps, double mean, std::optional<double> deviation = std::nullopt);

/// Mean and standard deviation of a distribution over the steps 0, 1, …
double mean_step(const std::vector<double>& distribution);
double step_deviation(const std::vector<double>& distribution);

/// Smallest and largest standard deviation of a distribution over `steps` steps with that mean.
struct DeviationRange {
  double low, high;
};
DeviationRange deviations_with_mean(std::size_t steps, double mean);

}  // namespace valence::stats
