#include "survey_mean.h"

#include <cmath>
#include <map>

#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"

namespace valence {
namespace {

/// Per cluster the sum of w(x − mean) / Σw: the mean's influence, which sums to 0 over all.
std::map<std::size_t, double> influence(const SurveySample& sample, double mean) {
  const double total = stats::pairwise_sum(sample.weights);
  std::map<std::size_t, double> sums;
  for (std::size_t i = 0; i < sample.values.size(); ++i) {
    sums[sample.clusters[i]] += sample.weights[i] * (sample.values[i] - mean) / total;
  }
  return sums;
}

}  // namespace

Estimate survey_mean(const SurveySample& sample, std::string_view unit) {
  Estimate estimate;
  estimate.unit = unit;
  estimate.method = "single administration";
  estimate.value = stats::weighted_mean(sample.values, sample.weights);
  const auto sums = influence(sample, estimate.value);
  estimate.count = sums.size();
  if (sums.size() < 2) return estimate;
  double squares = 0.0;
  for (const auto& [cluster, sum] : sums) squares += sum * sum;
  const double k = static_cast<double>(sums.size());
  const double half = stats::student_quantile(0.5 + estimate.level / 2.0, k - 1.0) * std::sqrt(squares * k / (k - 1.0));
  estimate.low = estimate.value - half;
  estimate.high = estimate.value + half;
  estimate.method = "linearised weighted mean, Student t";
  return estimate;
}

}  // namespace valence
