#include "valence/stats/distribution.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace valence::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kDirectSum = 32;  // below this, halving costs more than it gains

/// p·log2(p / q), 0 where p is.
double divergence_term(double p, double q) { return p > 0.0 ? p * std::log2(p / q) : 0.0; }

}  // namespace

double entropy(std::span<const double> p) {
  double sum = 0.0;
  for (const double x : p) {
    if (x > 0.0) sum -= x * std::log(x);
  }
  return sum;
}

double total_variation(std::span<const double> p, std::span<const double> q) {
  assert(p.size() == q.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += std::abs(p[i] - q[i]);
  return sum / 2.0;
}

double jensen_shannon_distance(std::span<const double> p, std::span<const double> q) {
  assert(p.size() == q.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double middle = (p[i] + q[i]) / 2.0;
    sum += divergence_term(p[i], middle) + divergence_term(q[i], middle);
  }
  return std::sqrt(std::clamp(sum / 2.0, 0.0, 1.0));
}

std::vector<double> uniform_distribution(std::size_t n) {
  return std::vector<double>(n, 1.0 / static_cast<double>(n));
}

Result<std::vector<double>> normalise(std::span<const double> weights) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i]) || weights[i] < 0.0) {
      return fail(ErrorCode::kInvalid, "weight {} is {}; a distribution needs finite weights of at least 0", i,
                  weights[i]);
    }
  }
  const double sum = pairwise_sum(weights);
  if (!(sum > 0.0)) return fail(ErrorCode::kInvalid, "all {} weights are zero; no distribution", weights.size());
  std::vector<double> result(weights.begin(), weights.end());
  for (double& x : result) x /= sum;
  return result;
}

double log_sum_exp(std::span<const double> x) {
  if (x.empty()) return -std::numeric_limits<double>::infinity();
  const double top = *std::max_element(x.begin(), x.end());
  if (!std::isfinite(top)) return top;
  double sum = 0.0;
  for (const double v : x) sum += std::exp(v - top);
  return top + std::log(sum);
}

std::vector<double> softmax(std::span<const double> x) {
  const double total = log_sum_exp(x);
  std::vector<double> result(x.size());
  std::transform(x.begin(), x.end(), result.begin(), [total](double v) { return std::exp(v - total); });
  return result;
}

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double log_sigmoid(double x) { return -softplus(-x); }

double pairwise_sum(std::span<const double> x) {
  if (x.size() > kDirectSum) {
    const std::size_t half = x.size() / 2;
    return pairwise_sum(x.first(half)) + pairwise_sum(x.subspan(half));
  }
  double sum = 0.0;
  for (const double v : x) sum += v;
  return sum;
}

double mean(std::span<const double> x) {
  return x.empty() ? kUndefined : pairwise_sum(x) / static_cast<double>(x.size());
}

double variance(std::span<const double> x) {
  if (x.size() < 2) return kUndefined;
  const double centre = mean(x);
  std::vector<double> squares(x.size());
  std::transform(x.begin(), x.end(), squares.begin(), [centre](double v) { return (v - centre) * (v - centre); });
  return pairwise_sum(squares) / static_cast<double>(x.size() - 1);
}

double weighted_mean(std::span<const double> x, std::span<const double> weights) {
  assert(x.size() == weights.size());
  double sum = 0.0, total = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (weights[i] == 0.0) continue;
    sum += weights[i] * x[i];
    total += weights[i];
  }
  return total > 0.0 ? sum / total : kUndefined;
}

double weighted_variance(std::span<const double> x, std::span<const double> weights) {
  const double centre = weighted_mean(x, weights);
  std::vector<double> squares(x.size());
  std::transform(x.begin(), x.end(), squares.begin(), [centre](double v) { return (v - centre) * (v - centre); });
  return weighted_mean(squares, weights);
}

double quantile_of_sorted(std::span<const double> sorted, double p) {
  if (sorted.empty()) return kUndefined;
  const double rank = std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double quantile(std::span<const double> x, double p) {
  std::vector<double> sorted(x.begin(), x.end());
  std::sort(sorted.begin(), sorted.end());
  return quantile_of_sorted(sorted, p);
}

}  // namespace valence::stats
