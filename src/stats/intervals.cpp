#include "valence/stats/intervals.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "valence/stats/distribution.h"

namespace valence::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Estimate estimate_of(double value, std::size_t count, std::string_view unit, double level, std::string_view method) {
  Estimate estimate;
  estimate.value = value;
  estimate.level = level;
  estimate.count = count;
  estimate.unit = unit;
  estimate.method = method;
  return estimate;
}

}  // namespace

double normal_quantile(double p) {
  if (p <= 0.0) return -kInfinity;
  if (p >= 1.0) return kInfinity;
  return boost::math::quantile(boost::math::normal(), p);
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double student_quantile(double p, double df) {
  if (p <= 0.0) return -kInfinity;
  if (p >= 1.0) return kInfinity;
  return boost::math::quantile(boost::math::students_t(df), p);
}

double student_cdf(double x, double df) {
  if (std::isinf(x)) return x < 0.0 ? 0.0 : 1.0;
  return boost::math::cdf(boost::math::students_t(df), x);
}

double chi_squared_quantile(double p, double df) {
  if (p <= 0.0) return 0.0;
  if (p >= 1.0) return kInfinity;
  return boost::math::quantile(boost::math::chi_squared(df), p);
}

Estimate wilson(double successes, std::size_t trials, std::string_view unit, double level) {
  if (trials == 0) return estimate_of(std::numeric_limits<double>::quiet_NaN(), 0, unit, level, "no trials");
  const auto n = static_cast<double>(trials);
  const double share = successes / n;
  const double z = normal_quantile(0.5 + level / 2.0);
  const double centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
  const double half = z / (1.0 + z * z / n) * std::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
  auto estimate = estimate_of(share, trials, unit, level, "Wilson");
  estimate.low = std::clamp(centre - half, 0.0, share);  // exact ends at 0 and 1, where rounding leaves a dust
  estimate.high = std::clamp(centre + half, share, 1.0);
  return estimate;
}

Estimate student_mean(std::span<const double> values, std::string_view unit, double level) {
  const std::size_t n = values.size();
  const double centre = mean(values);
  if (n < 2) return estimate_of(centre, n, unit, level, n == 0 ? "no data" : "single administration");
  auto estimate = estimate_of(centre, n, unit, level, "Student t");
  const double half = student_quantile(0.5 + level / 2.0, static_cast<double>(n - 1)) *
                      std::sqrt(variance(values) / static_cast<double>(n));
  estimate.low = centre - half;
  estimate.high = centre + half;
  return estimate;
}

Estimate student_paired(std::span<const double> first, std::span<const double> second, std::string_view unit,
                        double level) {
  assert(first.size() == second.size());
  std::vector<double> differences(first.size());
  std::transform(second.begin(), second.end(), first.begin(), differences.begin(), std::minus<>());
  auto estimate = student_mean(differences, unit, level);
  if (estimate.has_interval()) estimate.method = "paired Student t";
  return estimate;
}

}  // namespace valence::stats
