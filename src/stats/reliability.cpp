#include "valence/stats/reliability.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "valence/stats/correlation.h"
#include "valence/stats/distribution.h"

namespace valence::stats {
namespace {

constexpr double kNoReliability = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kFewestDraws = 4;   // two in each half
constexpr std::size_t kFewestFigures = 3;
constexpr std::size_t kAllOrders = 8;     // 40,320 orders
constexpr double kSameCorrelation = 1e-12;            // correlations of two orders that differ by rounding only are equal

/// Weights of the two parts of one split; each part weighs as much as the whole.
struct Parts {
  std::vector<double> first, second;
};

Parts split(std::span<const std::size_t> draw_of, std::size_t draws, RandomStream& stream) {
  const auto order = stream.permutation(draws);
  const std::size_t half = draws / 2;
  const double first_weight = static_cast<double>(draws) / static_cast<double>(half);
  const double second_weight = static_cast<double>(draws) / static_cast<double>(draws - half);
  std::vector<bool> in_first(draws, false);
  for (std::size_t i = 0; i < half; ++i) in_first[order[i]] = true;
  Parts parts;
  for (const auto draw : draw_of) {
    parts.first.push_back(in_first[draw] ? first_weight : 0.0);
    parts.second.push_back(in_first[draw] ? 0.0 : second_weight);
  }
  return parts;
}

double correlation_of_defined(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> x, y;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    x.push_back(a[i]);
    y.push_back(b[i]);
  }
  return x.size() < kFewestFigures ? kNoReliability : spearman(x, y);
}

std::vector<std::size_t> draws_of_units(std::size_t units, std::span<const std::size_t> clusters) {
  std::vector<std::size_t> ids(clusters.begin(), clusters.end());
  if (ids.empty()) {
    ids.resize(units);
    std::iota(ids.begin(), ids.end(), std::size_t{0});
    return ids;
  }
  auto known = ids;
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (auto& id : ids) {
    id = static_cast<std::size_t>(std::lower_bound(known.begin(), known.end(), id) - known.begin());
  }
  return ids;
}

double share_as_large(const std::vector<double>& x, std::vector<double> y, double observed) {
  std::sort(y.begin(), y.end());
  double as_large = 0.0, all = 0.0;
  do {
    as_large += std::abs(pearson(x, y)) >= observed - kSameCorrelation ? 1.0 : 0.0;
    all += 1.0;
  } while (std::next_permutation(y.begin(), y.end()));
  return as_large / all;
}

double sampled_share(const std::vector<double>& x, const std::vector<double>& y, double observed, std::size_t draws,
                     RandomStream stream) {
  double as_large = 1.0;  // the observed order is one of the possible ones
  std::vector<double> shuffled(y.size());
  for (std::size_t i = 0; i < draws; ++i) {
    const auto order = stream.permutation(y.size());
    std::transform(order.begin(), order.end(), shuffled.begin(), [&](std::size_t from) { return y[from]; });
    as_large += std::abs(pearson(x, shuffled)) >= observed - kSameCorrelation ? 1.0 : 0.0;
  }
  return as_large / (static_cast<double>(draws) + 1.0);
}

}  // namespace

double spearman_brown(double part_correlation, double share) {
  const double r = part_correlation, pq = share * (1.0 - share);
  if (std::isnan(r) || r <= 0.0 || r >= 1.0) return r;
  return r * (std::sqrt(r * r + 4.0 * pq * (1.0 - r * r)) - r) / (2.0 * pq * (1.0 - r * r));
}

Result<SplitHalf> split_half(const WeightedEstimator& estimate, std::size_t units,
                             std::span<const std::size_t> clusters, std::size_t splits, std::uint64_t seed) {
  if (!clusters.empty() && clusters.size() != units) {
    return fail(ErrorCode::kWrongCount, "clusters need one id per unit: {} units, {} ids", units, clusters.size());
  }
  const auto draw_of = draws_of_units(units, clusters);
  const std::size_t draws = count_draws(units, clusters);
  SplitHalf result{kNoReliability, kNoReliability, 0};
  if (draws < kFewestDraws) return result;
  RandomStream stream(seed, "split half");
  double sum = 0.0;
  for (std::size_t s = 0; s < splits; ++s) {
    const auto parts = split(draw_of, draws, stream);
    const double r = correlation_of_defined(estimate(parts.first), estimate(parts.second));
    if (std::isnan(r)) continue;
    sum += r;
    ++result.splits;
  }
  if (2 * result.splits < splits || result.splits == 0) return result;
  result.half_correlation = sum / static_cast<double>(result.splits);
  result.reliability =
      spearman_brown(result.half_correlation, static_cast<double>(draws / 2) / static_cast<double>(draws));
  return result;
}

double disattenuated(double correlation, double first_reliability, double second_reliability) {
  const bool usable = first_reliability >= kLeastReliability && second_reliability >= kLeastReliability;
  return usable ? correlation / std::sqrt(first_reliability * second_reliability) : kNoReliability;
}

double spearman_permutation_p(std::span<const double> x, std::span<const double> y, std::size_t draws,
                              std::uint64_t seed) {
  const auto ranks_x = mid_ranks(x), ranks_y = mid_ranks(y);
  const double observed = std::abs(pearson(ranks_x, ranks_y));
  if (std::isnan(observed)) return kNoReliability;
  return x.size() <= kAllOrders
             ? share_as_large(ranks_x, ranks_y, observed)
             : sampled_share(ranks_x, ranks_y, observed, draws, RandomStream(seed, "permutation"));
}

}  // namespace valence::stats
