#include "valence/values/fulcra_gap.h"

#include <cmath>
#include <limits>

#include "gap_parts.h"
#include "valence/values/gap.h"

namespace valence {
namespace {

constexpr std::array<double, kFulcraEvaluated.size()> kUpheld = {1.0, 1.0, 1.0, 1.0};

bool touched(double e) { return std::abs(e) > kFulcraMask; }

}  // namespace

double fulcra_reward(std::span<const double> e, std::span<const double> target) {
  double distance = 0.0;
  for (const auto& [seen, wanted, weight] : gap_parts(e, target, {})) {
    if (wanted == 0.0) continue;
    if (std::isnan(seen)) return kNoGap;
    if (touched(seen)) distance += std::abs(wanted) * std::abs(seen - wanted);
  }
  return -distance;
}

double fulcra_coverage(std::span<const double> e, std::span<const double> target) {
  double covered = 0.0, whole = 0.0;
  for (const auto& [seen, wanted, weight] : gap_parts(e, target, {})) {
    if (wanted == 0.0) continue;
    if (std::isnan(seen)) return kNoGap;
    whole += std::abs(wanted);
    if (touched(seen)) covered += std::abs(wanted);
  }
  return whole > 0.0 ? covered / whole : kNoGap;
}

double fulcra_l1(std::span<const double> e, std::span<const double> target) {
  const auto parts = gap_parts(e, target, {});
  double sum = 0.0;
  for (const auto& [seen, wanted, weight] : parts) sum += std::abs(seen - wanted);
  return parts.empty() ? kNoGap : sum;
}

double fulcra_e_distance(std::span<const double, 4> evaluated) { return euclidean_gap(evaluated, kUpheld); }

double fulcra_h_distance(std::span<const double, 4> evaluated) { return fulcra_l1(evaluated, kUpheld); }

}  // namespace valence
