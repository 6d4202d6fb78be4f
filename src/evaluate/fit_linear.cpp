// Linear heads fitted by L-BFGS, one dimension at a time: logistic and ordinal.

#include <cmath>

#include "fit.h"
#include "lbfgs.h"

namespace valence {
namespace {

using ConstWeights = Eigen::Map<const Matrix>;

/// Intercepts are held near the log-odds of the smoothed shares: a class that never occurs stays possible.
struct LogisticProblem {
  const FitData& data;
  const DesignMatrix<double>& design;
  Eigen::Index dim;
  double l2;
  Eigen::Vector2d prior;

  Eigen::Index size() const { return (design.columns() + 1) * kLogits; }

  /// x holds W [feature][output], then the intercepts' distance from the prior.
  double operator()(const Vector& x, Vector& gradient) const {
    const auto columns = design.columns();
    Matrix outputs = design.times(ConstWeights(x.data(), columns, kLogits));
    outputs.rowwise() += (prior + x.tail(kLogits)).transpose();
    const double loss = residuals(outputs);
    const double penalised = penalty(x, kLogits, l2, gradient);
    const Matrix by_weights = design.transposed_times(outputs);
    gradient.head(columns * kLogits) += Eigen::Map<const Vector>(by_weights.data(), by_weights.size());
    gradient.tail(kLogits) += outputs.colwise().sum().transpose();
    return loss + penalised;
  }

 private:
  /// Turns logits into probability − truth and gives Σ −log P.
  double residuals(Matrix& outputs) const {
    double loss = 0.0;
    for (Eigen::Index row = 0; row < outputs.rows(); ++row) {
      const double a = outputs(row, 0), b = outputs(row, 1);
      const double top = std::max({a, b, 0.0});
      const double ea = std::exp(a - top), eb = std::exp(b - top), sum = ea + eb + std::exp(-top);
      const int truth = data.classes(row, dim);
      loss += top + std::log(sum) - (truth == 0 ? a : truth == 2 ? b : 0.0);
      outputs(row, 0) = ea / sum - (truth == 0 ? 1.0 : 0.0);
      outputs(row, 1) = eb / sum - (truth == 2 ? 1.0 : 0.0);
    }
    return loss;
  }
};

LogisticProblem logistic_problem(const FitData& data, const DesignMatrix<double>& design, Eigen::Index dim, double l2) {
  const auto shares = smoothed_shares(data, dim);
  return {data, design, dim, l2, {std::log(shares[0] / shares[1]), std::log(shares[2] / shares[1])}};
}

/// One score per row, two cuts; the second lies exp(gap) above the first. Cuts are held near the marginal ones.
struct OrdinalProblem {
  const FitData& data;
  const DesignMatrix<double>& design;
  Eigen::Index dim;
  double l2;
  Cuts prior;

  Cuts cuts(const Vector& x) const {
    const auto n = design.columns();
    const double low = prior.low + x(n);
    return {low, low + std::exp(std::log(prior.high - prior.low) + x(n + 1))};
  }

  double operator()(const Vector& x, Vector& gradient) const {
    const auto columns = design.columns();
    const Vector scores = design.times(ConstWeights(x.data(), columns, 1));
    const auto at = cuts(x);
    Vector by_score(scores.size());
    const auto loss = ordered_loss(scores, data.classes.col(dim), at, by_score);
    const double penalised = penalty(x, 2, l2, gradient);
    gradient.head(columns) += Vector(design.transposed_times(by_score));
    gradient(columns) += loss.d_low + loss.d_high;
    gradient(columns + 1) += loss.d_high * (at.high - at.low);
    return loss.value + penalised;
  }
};

}  // namespace

double penalty(const Vector& x, Eigen::Index free, double l2, Vector& gradient) {
  const auto held = x.size() - free;
  gradient.resize(x.size());
  gradient.head(held) = l2 * x.head(held);
  gradient.tail(free) = kPriorWeight * x.tail(free);
  return 0.5 * x.dot(gradient);
}

Network linear_network(const Matrix& weights, const Vector& bias) {
  AffineLayer layer{static_cast<std::size_t>(weights.rows()), static_cast<std::size_t>(weights.cols()), {}, {}};
  for (Eigen::Index i = 0; i < weights.size(); ++i) layer.weights.push_back(static_cast<float>(weights.data()[i]));
  for (Eigen::Index i = 0; i < bias.size(); ++i) layer.bias.push_back(static_cast<float>(bias(i)));
  return {{std::move(layer)}};
}

Head fit_logistic(const FitData& data, const HeadOptions& options) {
  const DesignMatrix<double> design(data.features, data.scale);
  const auto columns = design.columns();
  Matrix weights(columns, data.dims() * kLogits);
  Vector bias(data.dims() * kLogits);
  for (Eigen::Index d = 0; d < data.dims(); ++d) {
    const auto problem = logistic_problem(data, design, d, options.l2);
    const auto fitted = minimise(problem, Vector::Zero(problem.size())).x;
    weights.middleCols(d * kLogits, kLogits) = ConstWeights(fitted.data(), columns, kLogits);
    bias.segment(d * kLogits, kLogits) = problem.prior + fitted.tail(kLogits);
  }
  Head head;
  head.members = {linear_network(weights, bias)};
  return head;
}

Head fit_ordinal(const FitData& data, const HeadOptions& options) {
  const DesignMatrix<double> design(data.features, data.scale);
  const auto columns = design.columns();
  Matrix weights(columns, data.dims());
  Head head;
  for (Eigen::Index d = 0; d < data.dims(); ++d) {
    const OrdinalProblem problem{data, design, d, options.l2, marginal_cuts(data, d)};
    const auto fitted = minimise(problem, Vector::Zero(columns + 2)).x;
    weights.col(d) = fitted.head(columns);
    const auto cuts = problem.cuts(fitted);
    head.slope.push_back(1.0);
    head.low_cut.push_back(cuts.low);
    head.high_cut.push_back(cuts.high);
  }
  head.members = {linear_network(weights, Vector::Zero(data.dims()))};
  return head;
}

}  // namespace valence
