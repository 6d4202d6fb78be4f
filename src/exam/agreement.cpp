#include "agreement.h"

#include <cmath>

namespace valence {
namespace {

/// E|X/n − p| for X ~ Binomial(n, p), by de Moivre's identity: E|X − np| = 2 m C(n, m) p^m (1 − p)^(n − m + 1) with
/// m = ⌊np⌋ + 1 (Diaconis and Zabell 1991).
double mean_absolute_deviation(double p, double n) {
  if (p <= 0.0 || p >= 1.0) return 0.0;
  const double m = std::floor(n * p) + 1.0;
  const double log_choose = std::lgamma(n + 1.0) - std::lgamma(m + 1.0) - std::lgamma(n - m + 1.0);
  return 2.0 * m / n * std::exp(log_choose + m * std::log(p) + (n - m + 1.0) * std::log1p(-p));
}

}  // namespace

double expected_distance(std::span<const double> probability, std::size_t draws) {
  if (draws == 0) return 0.0;
  double sum = 0.0;
  for (const double p : probability) sum += mean_absolute_deviation(p, static_cast<double>(draws));
  return sum / 2.0;
}

}  // namespace valence
