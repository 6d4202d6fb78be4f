#include "valence/stats/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "valence/stats/bootstrap.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"

namespace valence::stats {
namespace {

constexpr double kNoP = std::numeric_limits<double>::quiet_NaN();

/// Share of the replicates on the smaller side of zero, ties half; at least 1/(R + 1), at most 1/2.
double tail_beyond_zero(std::span<const double> replicates) {
  double below = 0.0, defined = 0.0;
  for (const double x : replicates) {
    if (std::isnan(x)) continue;
    below += x < 0.0 ? 1.0 : x == 0.0 ? 0.5 : 0.0;
    defined += 1.0;
  }
  return std::clamp(std::min(below, defined - below) / defined, 1.0 / (defined + 1.0), 0.5);
}

/// Two-sided p of a t statistic; a difference without any spread is certain, or certainly none.
double p_of_student(double difference, double error, double df) {
  if (error == 0.0) return difference == 0.0 ? 1.0 : 0.0;
  return 2.0 * student_cdf(-std::abs(difference) / error, df);
}

/// Standard error from replicates: their deviation, corrected for resampling n draws where n − 1 are free.
double bootstrap_error(std::span<const double> replicates, std::size_t draws) {
  std::vector<double> defined;
  std::copy_if(replicates.begin(), replicates.end(), std::back_inserter(defined),
               [](double x) { return !std::isnan(x); });
  const auto n = static_cast<double>(draws);
  return std::sqrt(variance(defined) * n / (n - 1.0));
}

/// The p value that inverts default_interval_method: 1 − the level at which an end of the interval touches zero.
double p_of_difference(double difference, std::span<const double> replicates, std::size_t draws) {
  const auto n = static_cast<double>(draws);
  if (default_interval_method(draws) == IntervalMethod::kBootstrapError) {
    return p_of_student(difference, bootstrap_error(replicates, draws), n - 1.0);
  }
  return 2.0 * student_cdf(normal_quantile(tail_beyond_zero(replicates)) * std::sqrt((n - 1.0) / n), n - 1.0);
}

Result<void> check_same_weights(const Replicates& first, const Replicates& second) {
  if (first.dims == second.dims && first.units == second.units && first.draws == second.draws &&
      first.clustered == second.clustered && first.seed == second.seed && first.count() == second.count()) {
    return {};
  }
  return fail(ErrorCode::kMismatch,
              "a paired comparison needs the same estimands, units, clusters, replicates and seed; first: {} "
              "estimands, {} units, {} draws, {} replicates, seed {}; second: {}, {}, {}, {}, seed {}",
              first.dims, first.units, first.draws, first.count(), first.seed, second.dims, second.units, second.draws,
              second.count(), second.seed);
}

/// second − first, replicate by replicate, as the replicates of one estimator.
Replicates difference_of(const Replicates& first, const Replicates& second) {
  const auto minus = [](const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> result(a.size());
    std::transform(b.begin(), b.end(), a.begin(), result.begin(), std::minus<>());
    return result;
  };
  Replicates result = first;
  result.point = minus(first.point, second.point);
  result.values = minus(first.values, second.values);
  result.jackknife = minus(first.jackknife, second.jackknife);
  return result;
}

std::vector<Comparison> compare_differences(const Replicates& differences, std::string_view unit, double level) {
  std::vector<Comparison> result;
  const auto estimates = intervals(differences, unit, level);
  for (std::size_t d = 0; d < estimates.size(); ++d) {
    const auto& estimate = estimates[d];
    Comparison comparison{estimate, kNoP};
    comparison.difference.method = "paired " + estimate.method;
    if (estimate.has_interval()) {
      comparison.p = p_of_difference(estimate.value, differences.column(d), differences.draws);
    }
    result.push_back(std::move(comparison));
  }
  return result;
}

/// Indices of the p values that are defined, smallest first.
std::vector<std::size_t> ascending(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  return order;
}

Comparison welch(const Replicates& first, const Replicates& second, std::size_t dim, std::string_view unit,
                 double level) {
  Comparison result{{}, kNoP};
  Estimate& estimate = result.difference;
  estimate.value = second.point[dim] - first.point[dim];
  estimate.level = level;
  estimate.count = first.units + second.units;
  estimate.unit = unit;
  estimate.method = "no interval: a subject with a single administration";
  if (first.draws < 2 || second.draws < 2) return result;

  const double first_error = bootstrap_error(first.column(dim), first.draws);
  const double second_error = bootstrap_error(second.column(dim), second.draws);
  const double a = first_error * first_error, b = second_error * second_error;
  const double df = a + b == 0.0 ? static_cast<double>(first.draws + second.draws - 2)
                                 : (a + b) * (a + b) / (a * a / static_cast<double>(first.draws - 1) +
                                                        b * b / static_cast<double>(second.draws - 1));
  estimate.method = "no interval: undefined";
  if (std::isnan(estimate.value) || std::isnan(df)) return result;
  const double error = std::sqrt(a + b);
  const double half = student_quantile(0.5 + level / 2.0, df) * error;
  estimate.low = estimate.value - half;
  estimate.high = estimate.value + half;
  estimate.method = fmt::format("independent, Welch t on the bootstrap ({} and {} replicates)", first.count(),
                                second.count());
  result.p = p_of_student(estimate.value, error, df);
  return result;
}

}  // namespace

Result<Comparison> compare_paired(const PairedReplicates& pair, std::string_view unit, double level) {
  if (pair.first_replicates.size() != pair.second_replicates.size()) {
    return fail(ErrorCode::kWrongCount, "a paired comparison needs equally many replicates, got {} and {}",
                pair.first_replicates.size(), pair.second_replicates.size());
  }
  Replicates differences;
  differences.dims = 1;
  differences.units = pair.units;
  differences.draws = pair.draws;
  differences.clustered = pair.draws != pair.units;
  differences.point = {pair.second - pair.first};
  differences.values.resize(pair.first_replicates.size());
  std::transform(pair.second_replicates.begin(), pair.second_replicates.end(), pair.first_replicates.begin(),
                 differences.values.begin(), std::minus<>());
  return compare_differences(differences, unit, level).front();
}

Result<std::vector<Comparison>> compare_paired(const Replicates& first, const Replicates& second,
                                               std::string_view unit, double level) {
  VALENCE_CHECK(check_same_weights(first, second));
  return compare_differences(difference_of(first, second), unit, level);
}

Result<std::vector<Comparison>> compare_independent(const Replicates& first, const Replicates& second,
                                                    std::string_view unit, double level) {
  if (first.dims != second.dims) {
    return fail(ErrorCode::kWrongCount, "a comparison needs the same estimands, got {} and {}", first.dims,
                second.dims);
  }
  std::vector<Comparison> result;
  for (std::size_t d = 0; d < first.dims; ++d) result.push_back(welch(first, second, d, unit, level));
  return result;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<double> adjusted(p.begin(), p.end());
  const auto order = ascending(p);
  double running = 0.0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    running = std::max(running, std::min(1.0, static_cast<double>(order.size() - rank) * p[order[rank]]));
    adjusted[order[rank]] = running;
  }
  return adjusted;
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<double> adjusted(p.begin(), p.end());
  const auto order = ascending(p);
  const auto m = static_cast<double>(order.size());
  double running = 1.0;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    running = std::min(running, m / static_cast<double>(rank) * p[order[rank - 1]]);
    adjusted[order[rank - 1]] = running;
  }
  return adjusted;
}

}  // namespace valence::stats
