#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "valence/stats/estimate.h"

namespace valence::stats {

/// Quantile and distribution function of the standard normal. `p` in (0, 1); 0 and 1 give ∓infinity.
double normal_quantile(double p);
double normal_cdf(double x);

/// Quantile and distribution function of Student's t with `df` > 0 degrees of freedom.
double student_quantile(double p, double df);
double student_cdf(double x, double df);

/// Quantile of the chi-squared distribution with `df` > 0 degrees of freedom.
double chi_squared_quantile(double p, double df);

/// A share `successes / trials` with Wilson's score interval, which keeps its level near 0 and 1 and never leaves
/// [0, 1]. Successes may be fractional (weighted counts). Without trials the value is NaN and there is no interval.
/// Source: Wilson (1927); Brown, Cai and DasGupta (2001), eq. 4.
Estimate wilson(double successes, std::size_t trials, std::string_view unit, double level = 0.95);

/// A mean with Student's t interval on n − 1 degrees of freedom. One value: "single administration", no interval.
Estimate student_mean(std::span<const double> values, std::string_view unit, double level = 0.95);

/// The mean of second[i] − first[i] with its Student t interval. Both have one value per unit, in the
/// same order and number (asserted).
Estimate student_paired(std::span<const double> first, std::span<const double> second, std::string_view unit,
                        double level = 0.95);

}  // namespace valence::stats
