#include <cmath>
#include <map>

#include "fit.h"
#include "lbfgs.h"

namespace valence {
namespace {

/// The intercept is the weight of a feature of this constant value: penalised, but a hundredth as much as the others.
constexpr double kConstant = 10.0;

std::vector<std::vector<Eigen::Index>> rows_by_prompt(const FitData& data) {
  std::map<std::size_t, std::vector<Eigen::Index>> rows;
  for (Eigen::Index row = 0; row < data.rows(); ++row) rows[data.prompts[static_cast<std::size_t>(row)]].push_back(row);
  std::vector<std::vector<Eigen::Index>> groups;
  for (auto& [prompt, group] : rows) groups.push_back(std::move(group));
  return groups;
}

/// Scores of every prompt's rows by the ridge fitted on all other prompts, without refitting: with G = (K + λI)⁻¹ and
/// α = G·y the left-out residuals of group g are G_gg⁻¹·α_g (block form of Cook and Weisberg 1982, §2.2).
Matrix leave_prompt_out(const FitData& data, const Matrix& inverse, const Matrix& dual, const Matrix& targets) {
  Matrix scores(targets.rows(), targets.cols());
  for (const auto& group : rows_by_prompt(data)) {
    const Matrix residuals = Matrix(inverse(group, group)).ldlt().solve(Matrix(dual(group, Eigen::all)));
    scores(group, Eigen::all) = targets(group, Eigen::all) - residuals;
  }
  return scores;
}

/// Slope and cuts that turn one dimension's scores into probabilities; the slope is held towards 4 (a unit of score
/// from "unrelated" to "upheld"), the cuts towards the marginal ones, by kPriorWeight each.
struct LinkProblem {
  const FitData& data;
  Eigen::Index dim;
  Vector scores;
  Cuts prior;

  static constexpr double kSlope = 4.0;

  Cuts cuts(const Vector& x) const {
    return {prior.low + x(1), prior.low + x(1) + (prior.high - prior.low) * std::exp(x(2))};
  }
  double slope(const Vector& x) const { return kSlope * std::exp(x(0)); }

  double operator()(const Vector& x, Vector& gradient) const {
    Vector by_score(scores.size());
    const auto at = cuts(x);
    const auto loss = ordered_loss(slope(x) * scores, data.classes.col(dim), at, by_score);
    const double penalised = penalty(x, 3, 0.0, gradient);
    gradient(0) += slope(x) * by_score.dot(scores);
    gradient(1) += loss.d_low + loss.d_high;
    gradient(2) += loss.d_high * (at.high - at.low);
    return loss.value + penalised;
  }
};

void add_link(const FitData& data, Eigen::Index dim, const Vector& scores, Head& head) {
  const LinkProblem problem{data, dim, scores, marginal_cuts(data, dim)};
  const auto fitted = minimise(problem, Vector::Zero(3)).x;
  head.slope.push_back(problem.slope(fitted));
  head.low_cut.push_back(problem.cuts(fitted).low);
  head.high_cut.push_back(problem.cuts(fitted).high);
}

}  // namespace

Head fit_ridge(const FitData& data, const HeadOptions& options) {
  const DesignMatrix<double> design(data.features, data.scale);
  Matrix kernel = design.gram();
  kernel.array() += kConstant * kConstant;
  kernel.diagonal().array() += options.l2;
  const Matrix inverse = kernel.llt().solve(Matrix::Identity(data.rows(), data.rows()));
  const Matrix targets = data.classes.cast<double>().matrix().array() - 1.0;
  const Matrix dual = inverse * targets;
  Head head;
  head.members = {
      linear_network(design.transposed_times(dual), kConstant * kConstant * dual.colwise().sum().transpose())};
  const auto scores = leave_prompt_out(data, inverse, dual, targets);
  for (Eigen::Index d = 0; d < data.dims(); ++d) add_link(data, d, scores.col(d), head);
  return head;
}

}  // namespace valence
