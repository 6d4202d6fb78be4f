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
  double share = 0.5;  ///< of the whole's weight that the first part had
};

/// What is split: the draw that each unit belongs to, its weight, and the draws that have any.
struct Splittable {
  std::vector<std::size_t> draw_of;
  std::vector<double> weights;
  std::vector<std::size_t> drawn;
  std::size_t draws = 0;
};

double total(std::span<const double> weights) { return std::accumulate(weights.begin(), weights.end(), 0.0); }

/// Scales to `sum`.
void scale_to(std::vector<double>& weights, double sum) {
  const double factor = sum / total(weights);
  for (auto& weight : weights) weight *= factor;
}

Parts split(const Splittable& whole, RandomStream& stream) {
  const auto order = stream.permutation(whole.drawn.size());
  std::vector<bool> in_first(whole.draws, false);
  for (std::size_t i = 0; i < whole.drawn.size() / 2; ++i) in_first[whole.drawn[order[i]]] = true;
  Parts parts;
  for (std::size_t unit = 0; unit < whole.draw_of.size(); ++unit) {
    const bool first = in_first[whole.draw_of[unit]];
    parts.first.push_back(first ? whole.weights[unit] : 0.0);
    parts.second.push_back(first ? 0.0 : whole.weights[unit]);
  }
  const double sum = total(whole.weights);
  parts.share = total(parts.first) / sum;
  scale_to(parts.first, sum);
  scale_to(parts.second, sum);
  return parts;
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

Splittable splittable(std::span<const double> weights, std::span<const std::size_t> clusters) {
  Splittable whole{draws_of_units(weights.size(), clusters), {weights.begin(), weights.end()}, {}, 0};
  whole.draws = count_draws(weights.size(), clusters);
  std::vector<bool> seen(whole.draws, false);
  for (std::size_t unit = 0; unit < weights.size(); ++unit) {
    if (weights[unit] > 0.0) seen[whole.draw_of[unit]] = true;
  }
  for (std::size_t draw = 0; draw < whole.draws; ++draw) {
    if (seen[draw]) whole.drawn.push_back(draw);
  }
  return whole;
}

SplitHalf mean_split(const WeightedEstimator& estimate, const Splittable& whole, std::size_t splits, std::uint64_t seed) {
  SplitHalf result{kNoReliability, kNoReliability, 0};
  RandomStream stream(seed, "split half");
  double sum = 0.0, share = 0.0;
  for (std::size_t s = 0; s < splits; ++s) {
    const auto parts = split(whole, stream);
    const double r = spearman_of_defined(estimate(parts.first), estimate(parts.second), kFewestFigures);
    if (std::isnan(r)) continue;
    sum += r;
    share += parts.share;
    ++result.splits;
  }
  if (2 * result.splits < splits || result.splits == 0) return result;
  const auto counted = static_cast<double>(result.splits);
  result.half_correlation = sum / counted;
  result.reliability = spearman_brown(result.half_correlation, share / counted);
  return result;
}

Result<void> check_clusters(std::size_t units, std::span<const std::size_t> clusters) {
  if (clusters.empty() || clusters.size() == units) return {};
  return fail(ErrorCode::kWrongCount, "clusters need one id per unit: {} units, {} ids", units, clusters.size());
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
  VALENCE_CHECK(check_clusters(units, clusters));
  const auto whole = splittable(std::vector<double>(units, 1.0), clusters);
  if (whole.drawn.size() < kFewestDraws) return SplitHalf{kNoReliability, kNoReliability, 0};
  return mean_split(estimate, whole, splits, seed);
}

Result<SplitHalf> split_half_of_replicate(const WeightedEstimator& estimate, std::span<const double> weights,
                                          std::span<const std::size_t> clusters, std::size_t splits,
                                          std::uint64_t seed) {
  VALENCE_CHECK(check_clusters(weights.size(), clusters));
  const auto whole = splittable(weights, clusters);
  if (whole.drawn.size() < 2) return SplitHalf{kNoReliability, kNoReliability, 0};
  return mean_split(estimate, whole, splits, seed);
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
