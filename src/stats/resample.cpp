#include "valence/stats/resample.h"

#include <algorithm>
#include <unordered_map>

namespace valence::stats {
namespace {

/// The draw that each unit belongs to, numbered from 0 in order of first appearance.
std::vector<std::size_t> draw_of_unit(std::size_t units, std::span<const std::size_t> clusters) {
  std::vector<std::size_t> draw(units);
  std::unordered_map<std::size_t, std::size_t> number;
  for (std::size_t u = 0; u < units; ++u) {
    draw[u] = clusters.empty() ? u : number.try_emplace(clusters[u], number.size()).first->second;
  }
  return draw;
}

std::size_t distinct(const std::vector<std::size_t>& draw_of) {
  return draw_of.empty() ? 0 : *std::max_element(draw_of.begin(), draw_of.end()) + 1;
}

std::vector<double> bootstrap_row(const std::vector<std::size_t>& draw_of, std::size_t draws, RandomStream& stream) {
  std::vector<double> count(draws, 0.0);
  for (std::size_t i = 0; i < draws; ++i) count[stream.below(draws)] += 1.0;
  std::vector<double> weights(draw_of.size());
  std::transform(draw_of.begin(), draw_of.end(), weights.begin(), [&](std::size_t d) { return count[d]; });
  return weights;
}

std::vector<double> jackknife_row(const std::vector<std::size_t>& draw_of, std::size_t left_out) {
  std::vector<double> weights(draw_of.size());
  std::transform(draw_of.begin(), draw_of.end(), weights.begin(),
                 [&](std::size_t d) { return d == left_out ? 0.0 : 1.0; });
  return weights;
}

std::vector<double> strided(const std::vector<double>& values, std::size_t dims, std::size_t dim) {
  std::vector<double> column;
  column.reserve(dims == 0 ? 0 : values.size() / dims);
  for (std::size_t i = dim; i < values.size(); i += dims) column.push_back(values[i]);
  return column;
}

/// Evaluates and appends, or says that the estimator changed its mind about how many estimands there are.
Result<void> append_estimate(const WeightedEstimator& estimate, const std::vector<double>& weights, std::size_t dims,
                             std::vector<double>& out) {
  const auto values = estimate(weights);
  if (values.size() != dims) {
    return fail(ErrorCode::kWrongCount,
                "the estimator returned {} numbers on the data and {} on reweighted data; it must always return one "
                "per estimand",
                dims, values.size());
  }
  out.insert(out.end(), values.begin(), values.end());
  return {};
}

Result<void> check_replicate(std::size_t units, std::span<const std::size_t> clusters, std::size_t count) {
  if (units == 0) return fail(ErrorCode::kInvalid, "nothing to estimate from: there are no units");
  if (count == 0) return fail(ErrorCode::kInvalid, "an interval needs at least 1 bootstrap replicate, got 0");
  if (!clusters.empty() && clusters.size() != units) {
    return fail(ErrorCode::kWrongCount, "clusters need one id per unit: {} units, {} ids", units, clusters.size());
  }
  return {};
}

}  // namespace

std::vector<std::size_t> cluster_ids(std::span<const std::string> names) {
  std::unordered_map<std::string, std::size_t> number;
  std::vector<std::size_t> ids(names.size());
  std::transform(names.begin(), names.end(), ids.begin(), [&](const std::string& name) {
    return number.try_emplace(name, number.size()).first->second;
  });
  return ids;
}

std::size_t count_draws(std::size_t units, std::span<const std::size_t> clusters) {
  return distinct(draw_of_unit(units, clusters));
}

std::vector<std::vector<double>> bootstrap_weights(std::size_t units, std::span<const std::size_t> clusters,
                                                   std::size_t replicates, RandomStream stream) {
  const auto draw_of = draw_of_unit(units, clusters);
  const std::size_t draws = distinct(draw_of);
  std::vector<std::vector<double>> rows;
  rows.reserve(replicates);
  for (std::size_t r = 0; r < replicates; ++r) rows.push_back(bootstrap_row(draw_of, draws, stream));
  return rows;
}

std::vector<std::vector<double>> jackknife_weights(std::size_t units, std::span<const std::size_t> clusters) {
  const auto draw_of = draw_of_unit(units, clusters);
  std::vector<std::vector<double>> rows(distinct(draw_of));
  for (std::size_t d = 0; d < rows.size(); ++d) rows[d] = jackknife_row(draw_of, d);
  return rows;
}

std::vector<double> Replicates::column(std::size_t dim) const { return strided(values, dims, dim); }

std::vector<double> Replicates::jackknife_column(std::size_t dim) const { return strided(jackknife, dims, dim); }

Result<Replicates> replicate(const WeightedEstimator& estimate, std::size_t units,
                             std::span<const std::size_t> clusters, std::size_t count, std::uint64_t seed) {
  VALENCE_CHECK(check_replicate(units, clusters, count));
  const auto draw_of = draw_of_unit(units, clusters);
  Replicates result;
  result.units = units;
  result.draws = distinct(draw_of);
  result.clustered = !clusters.empty();
  result.seed = seed;
  result.point = estimate(std::vector<double>(units, 1.0));
  result.dims = result.point.size();
  if (result.draws < 2) return result;

  RandomStream stream(seed, "bootstrap");
  result.values.reserve(count * result.dims);
  for (std::size_t r = 0; r < count; ++r) {
    const auto weights = bootstrap_row(draw_of, result.draws, stream);
    VALENCE_CHECK(append_estimate(estimate, weights, result.dims, result.values));
  }
  result.jackknife.reserve(result.draws * result.dims);
  for (std::size_t d = 0; d < result.draws; ++d) {
    VALENCE_CHECK(append_estimate(estimate, jackknife_row(draw_of, d), result.dims, result.jackknife));
  }
  return result;
}

}  // namespace valence::stats
