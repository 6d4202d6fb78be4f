#include <algorithm>
#include <cmath>
#include <limits>

#include "valence/stats/bootstrap.h"
#include "valence/stats/correlation.h"
#include "valence/stats/reliability.h"

namespace valence::stats {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Figures, and behind them the reliability of the replicate that they are of.
Result<Replicates> with_reliability(const ResampledProfile& side, std::size_t replicates, std::uint64_t seed) {
  const auto both = [&](std::span<const double> weights) {
    auto figures = side.figures(weights);
    const auto halves = split_half_of_replicate(side.figures, weights, side.clusters, kReplicateSplits, seed);
    figures.push_back(halves ? halves->reliability : kNone);
    return figures;
  };
  return replicate(both, side.units, side.clusters, replicates, seed);
}

Result<double> reliability_of(const ResampledProfile& side, std::uint64_t seed) {
  VALENCE_TRY(const auto halves, split_half(side.figures, side.units, side.clusters, kSplits, seed));
  return halves.reliability;
}

/// One replicate of one side.
struct Draw {
  std::span<const double> figures;
  double reliability;
};

Draw draw_of(const Replicates& replicates, std::size_t at) {
  const auto row = std::span(replicates.values).subspan(at * replicates.dims, replicates.dims);
  return {row.first(row.size() - 1), row.back()};
}

}  // namespace

double spearman_of_defined(std::span<const double> x, std::span<const double> y, std::size_t fewest) {
  std::vector<double> a, b;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    a.push_back(x[i]);
    b.push_back(y[i]);
  }
  return a.size() < fewest ? kNone : spearman(a, b);
}

Result<ProfileCorrelation> correlate_profiles(const ResampledProfile& first, const ResampledProfile& second,
                                              std::size_t fewest, std::string_view unit, std::size_t replicates,
                                              std::uint64_t seed) {
  // Different seeds: the two sides have nothing in common that could be drawn together.
  VALENCE_TRY(const auto a, with_reliability(first, replicates, seed));
  VALENCE_TRY(const auto b, with_reliability(second, replicates, seed + 1));
  ProfileCorrelation result;
  VALENCE_TRY(result.first_reliability, reliability_of(first, seed));
  VALENCE_TRY(result.second_reliability, reliability_of(second, seed));
  Replicates both;
  both.dims = 2;
  both.units = both.draws = std::min(a.draws, b.draws);
  const double seen =
      spearman_of_defined(std::span(a.point).first(a.dims - 1), std::span(b.point).first(b.dims - 1), fewest);
  both.point = {seen, disattenuated(seen, result.first_reliability, result.second_reliability)};
  for (std::size_t r = 0; r < std::min(a.count(), b.count()); ++r) {
    const auto x = draw_of(a, r), y = draw_of(b, r);
    const double one = spearman_of_defined(x.figures, y.figures, fewest);
    both.values.insert(both.values.end(), {one, disattenuated(one, x.reliability, y.reliability)});
  }
  const auto estimates = intervals(both, unit);
  result.spearman = within(estimates[0], -1.0, 1.0);
  result.disattenuated = estimates[1];
  return result;
}

}  // namespace valence::stats
