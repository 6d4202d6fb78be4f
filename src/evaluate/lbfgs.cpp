#include "lbfgs.h"

#include <cmath>
#include <deque>

namespace valence {
namespace {

constexpr std::size_t kMemory = 8;
constexpr double kArmijo = 1e-4;
constexpr int kHalvings = 30;

struct CurvaturePair {
  Eigen::VectorXd step, change;
  double inverse;  // 1 / (step · change)
};

Eigen::VectorXd descent_direction(const std::deque<CurvaturePair>& pairs, const Eigen::VectorXd& gradient) {
  Eigen::VectorXd q = gradient;
  std::vector<double> alpha(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    alpha[i] = pairs[i].inverse * pairs[i].step.dot(q);
    q -= alpha[i] * pairs[i].change;
  }
  if (!pairs.empty()) q *= 1.0 / (pairs.back().inverse * pairs.back().change.squaredNorm());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double beta = pairs[i].inverse * pairs[i].change.dot(q);
    q += (alpha[i] - beta) * pairs[i].step;
  }
  return -q;
}

}  // namespace

Minimum minimise(const Objective& objective, Eigen::VectorXd start, double tolerance, int max_iterations) {
  Minimum best{std::move(start), 0.0, 0, false};
  Eigen::VectorXd gradient(best.x.size()), next_gradient(best.x.size());
  best.value = objective(best.x, gradient);
  const double small = tolerance * std::max(1.0, gradient.norm());
  std::deque<CurvaturePair> pairs;
  for (; best.iterations < max_iterations; ++best.iterations) {
    if (gradient.norm() <= small) {
      best.converged = true;
      break;
    }
    const Eigen::VectorXd direction = descent_direction(pairs, gradient);
    const double slope = direction.dot(gradient);
    double length = pairs.empty() ? std::min(1.0, 1.0 / gradient.norm()) : 1.0;
    Eigen::VectorXd next;
    double value = 0.0;
    int halvings = 0;
    for (; halvings < kHalvings; ++halvings, length /= 2.0) {
      next = best.x + length * direction;
      value = objective(next, next_gradient);
      if (value <= best.value + kArmijo * length * slope) break;
    }
    if (halvings == kHalvings) break;
    const Eigen::VectorXd step = next - best.x;
    const Eigen::VectorXd change = next_gradient - gradient;
    if (const double curvature = step.dot(change); curvature > 1e-12 * change.squaredNorm()) {
      pairs.push_back({step, change, 1.0 / curvature});
      if (pairs.size() > kMemory) pairs.pop_front();
    }
    best.x = next;
    best.value = value;
    gradient = next_gradient;
  }
  return best;
}

}  // namespace valence
