#include "valence/values/gap.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace valence {
namespace {

constexpr double kNoGap = std::numeric_limits<double>::quiet_NaN();
constexpr double kHalfTurn = 180.0;

int order(double a, double b) { return (a > b) - (a < b); }

}  // namespace

double l1_gap(std::span<const double> profile, std::span<const double> target, PairDistribution pairs) {
  assert(profile.size() == target.size());
  const auto n = static_cast<double>(profile.size());
  double sum = 0.0;  // over ordered pairs; a dimension with itself adds 0
  for (std::size_t i = 0; i < profile.size(); ++i) {
    for (std::size_t j = i + 1; j < profile.size(); ++j) {
      sum += 2.0 * std::abs((target[i] - target[j]) - (profile[i] - profile[j]));
    }
  }
  const double count = pairs == PairDistribution::kIndependent ? n * n : n * (n - 1.0);
  return count > 0.0 ? sum / count : kNoGap;
}

double l2_gap(std::span<const double> profile, std::span<const double> target) {
  assert(profile.size() == target.size());
  if (profile.empty()) return kNoGap;
  double sum = 0.0;
  for (std::size_t i = 0; i < profile.size(); ++i) sum += std::abs(target[i] - profile[i]);
  return sum / static_cast<double>(profile.size());
}

double ordering_gap(std::span<const double> profile, std::span<const double> target) {
  assert(profile.size() == target.size());
  double wrong = 0.0, ordered = 0.0;
  for (std::size_t i = 0; i < profile.size(); ++i) {
    for (std::size_t j = i + 1; j < profile.size(); ++j) {
      const int wanted = order(target[i], target[j]);
      if (wanted == 0) continue;
      wrong += 0.5 * (1.0 - wanted * order(profile[i], profile[j]));
      ordered += 1.0;
    }
  }
  return ordered > 0.0 ? wrong / ordered : kNoGap;
}

double wrap180(double degrees) {
  const double wrapped = std::remainder(degrees, 2.0 * kHalfTurn);
  return wrapped == -kHalfTurn ? kHalfTurn : wrapped;
}

double angular_distance(double a, double b) { return std::abs(wrap180(a - b)); }

double largest_distance(double target, const Band& band) {
  const double to_antipode = wrap180(target + kHalfTurn - band.low);  // counted upwards from the band's low end
  const double upwards = to_antipode < 0.0 ? to_antipode + 2.0 * kHalfTurn : to_antipode;
  if (upwards <= band.high - band.low) return kHalfTurn;
  return std::max(angular_distance(band.low, target), angular_distance(band.high, target));
}

double value_rationality(double angle, double target, const Band& band) {
  const double largest = largest_distance(target, band);
  return largest > 0.0 ? 1.0 - angular_distance(angle, target) / largest : kNoGap;
}

}  // namespace valence
