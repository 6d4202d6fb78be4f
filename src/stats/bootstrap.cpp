#include "valence/stats/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>

#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"

namespace valence::stats {
namespace {

constexpr Ends kNoEnds{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};

/// √(n/(n−1)): a bootstrap of n draws has the variance of n, not of n − 1.
double small_sample_factor(std::size_t draws) {
  const auto n = static_cast<double>(draws);
  return std::sqrt(n / (n - 1.0));
}

double student_of_level(double level, std::size_t draws) {
  return student_quantile(0.5 + level / 2.0, static_cast<double>(draws - 1));
}

std::vector<double> sorted_defined(std::span<const double> values) {
  std::vector<double> result;
  std::copy_if(values.begin(), values.end(), std::back_inserter(result), [](double x) { return !std::isnan(x); });
  std::sort(result.begin(), result.end());
  return result;
}

Ends symmetric(double centre, double half) { return {centre - half, centre + half}; }

Ends between_quantiles(const std::vector<double>& sorted, double low, double high) {
  return {quantile_of_sorted(sorted, low), quantile_of_sorted(sorted, high)};
}

/// Acceleration: a sixth of the skewness of the leave-one-out values (Efron 1987, eq. 6.6 in its jackknife form).
double acceleration(std::span<const double> jackknife) {
  const double centre = mean(jackknife);
  double squares = 0.0, cubes = 0.0;
  for (const double x : jackknife) {
    const double d = centre - x;
    squares += d * d;
    cubes += d * d * d;
  }
  return squares > 0.0 ? cubes / (6.0 * std::pow(squares, 1.5)) : 0.0;
}

/// Share of replicates below the estimate, ties counted half, kept off 0 and 1 by half a replicate.
double share_below(const std::vector<double>& sorted, double point) {
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), point);
  const auto n = static_cast<double>(sorted.size());
  const double below = static_cast<double>(first - sorted.begin()) + 0.5 * static_cast<double>(last - first);
  return std::clamp(below / n, 0.5 / n, 1.0 - 0.5 / n);
}

Ends bca_ends(double point, const std::vector<double>& sorted, std::span<const double> jackknife, double level) {
  if (jackknife.size() < 2) return kNoEnds;
  const double bias = normal_quantile(share_below(sorted, point));
  const double a = acceleration(jackknife);
  const auto adjusted = [&](double p) {
    const double z = bias + normal_quantile(p);
    return normal_cdf(bias + z / (1.0 - a * z));
  };
  return between_quantiles(sorted, adjusted(0.5 - level / 2.0), adjusted(0.5 + level / 2.0));
}

/// √((n−1)/n·Σ(leave-one-out − mean)²).
double jackknife_error(std::span<const double> jackknife) {
  const auto n = static_cast<double>(jackknife.size());
  return std::sqrt((n - 1.0) * (n - 1.0) / n * variance(jackknife));
}

std::size_t undefined_count(std::span<const double> values) {
  return static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [](double x) { return std::isnan(x); }));
}

/// "expanded percentile bootstrap (2000 replicates, 12 clusters, 3 undefined)".
std::string method_in_words(IntervalMethod method, const Replicates& replicates, std::size_t undefined) {
  std::vector<std::string> details;
  if (method != IntervalMethod::kJackknifeT) details.push_back(fmt::format("{} replicates", replicates.count()));
  if (replicates.clustered) details.push_back(fmt::format("{} clusters", replicates.draws));
  if (undefined > 0) details.push_back(fmt::format("{} undefined", undefined));
  if (details.empty()) return std::string(to_string(method));
  return fmt::format("{} ({})", to_string(method), fmt::join(details, ", "));
}

Estimate without_interval(double value, const Replicates& replicates, std::string_view unit, double level,
                          std::string method) {
  Estimate estimate;
  estimate.value = value;
  estimate.level = level;
  estimate.count = replicates.units;
  estimate.unit = unit;
  estimate.method = std::move(method);
  return estimate;
}

Estimate interval_of(const Replicates& replicates, std::size_t dim, std::string_view unit, IntervalMethod method,
                     double level) {
  const double point = replicates.point[dim];
  if (replicates.units < 2) return without_interval(point, replicates, unit, level, "single administration");
  if (replicates.draws < 2) {
    return without_interval(point, replicates, unit, level,
                            fmt::format("one cluster of {}: no interval", replicates.units));
  }
  if (std::isnan(point)) return without_interval(point, replicates, unit, level, "undefined");
  const auto column = replicates.column(dim);
  const auto jackknife = replicates.jackknife_column(dim);
  const std::size_t undefined = undefined_count(method == IntervalMethod::kJackknifeT ? jackknife : column);
  const std::size_t of = method == IntervalMethod::kJackknifeT ? jackknife.size() : column.size();
  if (static_cast<double>(undefined) > kMaxUndefinedShare * static_cast<double>(of)) {
    return without_interval(point, replicates, unit, level,
                            fmt::format("no interval: undefined in {} of {} replicates", undefined, of));
  }
  auto estimate =
      without_interval(point, replicates, unit, level, method_in_words(method, replicates, undefined));
  const auto [low, high] = interval_ends(method, point, column, jackknife, replicates.draws, level);
  estimate.low = low;
  estimate.high = high;
  return estimate;
}

}  // namespace

std::string_view to_string(IntervalMethod method) {
  switch (method) {
    case IntervalMethod::kPercentile: return "percentile bootstrap";
    case IntervalMethod::kExpandedPercentile: return "expanded percentile bootstrap";
    case IntervalMethod::kBca: return "BCa bootstrap";
    case IntervalMethod::kBootstrapError: return "Student t on the bootstrap error";
    case IntervalMethod::kJackknifeT: return "jackknife t";
  }
  return "";
}

IntervalMethod default_interval_method(std::size_t draws) {
  return draws < kFewDraws ? IntervalMethod::kBootstrapError : IntervalMethod::kExpandedPercentile;
}

Ends interval_ends(IntervalMethod method, double point, std::span<const double> replicates,
                   std::span<const double> jackknife, std::size_t draws, double level) {
  if (draws < 2) return kNoEnds;
  const auto defined_jackknife = sorted_defined(jackknife);
  if (method == IntervalMethod::kJackknifeT) {
    if (defined_jackknife.size() < 2) return kNoEnds;
    return symmetric(point, student_of_level(level, draws) * jackknife_error(defined_jackknife));
  }
  const auto sorted = sorted_defined(replicates);
  if (sorted.size() < 2) return kNoEnds;
  const double widened = student_of_level(level, draws) * small_sample_factor(draws);
  switch (method) {
    case IntervalMethod::kPercentile: return between_quantiles(sorted, 0.5 - level / 2.0, 0.5 + level / 2.0);
    case IntervalMethod::kExpandedPercentile:
      return between_quantiles(sorted, normal_cdf(-widened), normal_cdf(widened));
    case IntervalMethod::kBca: return bca_ends(point, sorted, defined_jackknife, level);
    case IntervalMethod::kBootstrapError: return symmetric(point, widened * std::sqrt(variance(sorted)));
    case IntervalMethod::kJackknifeT: break;
  }
  return kNoEnds;
}

std::vector<Estimate> intervals(const Replicates& replicates, std::string_view unit, IntervalMethod method,
                                double level) {
  std::vector<Estimate> estimates;
  estimates.reserve(replicates.dims);
  for (std::size_t d = 0; d < replicates.dims; ++d) {
    estimates.push_back(interval_of(replicates, d, unit, method, level));
  }
  return estimates;
}

std::vector<Estimate> intervals(const Replicates& replicates, std::string_view unit, double level) {
  return intervals(replicates, unit, default_interval_method(replicates.draws), level);
}

}  // namespace valence::stats
