#pragma once

#include <cassert>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace valence {

/// The distance where there is none.
inline constexpr double kNoGap = std::numeric_limits<double>::quiet_NaN();

/// One dimension that the target speaks of.
struct GapPart {
  double profile;
  double target;
  double weight;
};

/// The dimensions that are part of the target, in their order: its value is not NaN, its weight not 0.
inline std::vector<GapPart> gap_parts(std::span<const double> profile, std::span<const double> target,
                                      std::span<const double> weights) {
  assert(profile.size() == target.size());
  assert(weights.empty() || weights.size() == target.size());
  std::vector<GapPart> parts;
  parts.reserve(target.size());
  for (std::size_t i = 0; i < target.size(); ++i) {
    const double weight = weights.empty() ? 1.0 : weights[i];
    if (weight != 0.0 && !std::isnan(target[i])) parts.push_back({profile[i], target[i], weight});
  }
  return parts;
}

}  // namespace valence
