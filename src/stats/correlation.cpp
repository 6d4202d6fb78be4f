#include "valence/stats/correlation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "valence/stats/distribution.h"

namespace valence::stats {

double pearson(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  const double x_mean = mean(x), y_mean = mean(y);
  double xy = 0.0, xx = 0.0, yy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - x_mean, dy = y[i] - y_mean;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  if (xx == 0.0 || yy == 0.0 || x.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

double spearman(std::span<const double> x, std::span<const double> y) { return pearson(mid_ranks(x), mid_ranks(y)); }

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  double balance = 0.0, x_pairs = 0.0, y_pairs = 0.0;  // concordant − discordant; pairs that x, y tell apart
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const int dx = (x[i] > x[j]) - (x[i] < x[j]);
      const int dy = (y[i] > y[j]) - (y[i] < y[j]);
      balance += dx * dy;
      x_pairs += dx * dx;
      y_pairs += dy * dy;
    }
  }
  return balance / std::sqrt(x_pairs * y_pairs);  // 0/0, hence NaN, for a constant
}

std::vector<double> mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double shared = static_cast<double>(first + last) / 2.0 + 1.0;
    for (std::size_t i = first; i <= last; ++i) ranks[order[i]] = shared;
    first = last + 1;
  }
  return ranks;
}

}  // namespace valence::stats
