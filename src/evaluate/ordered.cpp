#include <algorithm>
#include <cmath>

#include "fit.h"
#include "valence/stats/distribution.h"

namespace valence {
namespace {

double sigmoid(double x) { return std::exp(stats::log_sigmoid(x)); }

double logit(double p) { return std::log(p / (1.0 - p)); }

constexpr double kLeastProbability = 1e-12;  // of the middle class when both cuts meet

}  // namespace

std::array<double, kLabelClasses> smoothed_shares(const FitData& data, Eigen::Index dim) {
  std::array<double, kLabelClasses> counts{0.5, 0.5, 0.5};
  for (Eigen::Index row = 0; row < data.rows(); ++row) counts[static_cast<std::size_t>(data.classes(row, dim))] += 1.0;
  for (auto& count : counts) count /= static_cast<double>(data.rows()) + 1.5;
  return counts;
}

Cuts marginal_cuts(const FitData& data, Eigen::Index dim) {
  const auto shares = smoothed_shares(data, dim);
  return {logit(shares[0]), logit(shares[0] + shares[1])};
}

std::array<double, kLabelClasses> ordered_probabilities(double score, const Cuts& cuts) {
  const double low = sigmoid(cuts.low - score);
  const double high = sigmoid(cuts.high - score);
  return {low, std::max(high - low, 0.0), 1.0 - high};
}

OrderedLoss ordered_loss(const Vector& scores, const Eigen::Ref<const Eigen::ArrayXi>& classes, const Cuts& cuts,
                         Vector& gradient) {
  OrderedLoss loss;
  for (Eigen::Index row = 0; row < scores.size(); ++row) {
    const double low = sigmoid(cuts.low - scores(row)), high = sigmoid(cuts.high - scores(row));
    const double low_slope = low * (1.0 - low), high_slope = high * (1.0 - high);
    const int truth = classes(row);
    // Derivatives of log P by the two linear terms cut − score.
    const double middle = std::max(high - low, kLeastProbability);
    const double by_low = truth == 0 ? 1.0 - low : truth == 1 ? -low_slope / middle : 0.0;
    const double by_high = truth == 2 ? -high : truth == 1 ? high_slope / middle : 0.0;
    loss.value -= truth == 0   ? stats::log_sigmoid(cuts.low - scores(row))
                  : truth == 1 ? std::log(middle)
                               : stats::log_sigmoid(scores(row) - cuts.high);
    loss.d_low -= by_low;
    loss.d_high -= by_high;
    gradient(row) = by_low + by_high;
  }
  return loss;
}

}  // namespace valence
