#pragma once

#include <Eigen/Dense>
#include <functional>

namespace valence {

/// Value of a smooth function at x; writes the gradient.
using Objective = std::function<double(const Eigen::VectorXd& x, Eigen::VectorXd& gradient)>;

struct Minimum {
  Eigen::VectorXd x;
  double value = 0.0;
  int iterations = 0;
  bool converged = false;
};

/// Limited-memory BFGS (Nocedal and Wright 2006, alg. 7.4 and 7.5) with backtracking to Armijo's condition; pairs
/// without positive curvature are left out. Stops when |gradient| ≤ tolerance·max(1, |first gradient|), or when no step
/// improves. Meant for convex functions: a step is never worse than the last.
Minimum minimise(const Objective& objective, Eigen::VectorXd start, double tolerance = 1e-4, int max_iterations = 200);

}  // namespace valence
