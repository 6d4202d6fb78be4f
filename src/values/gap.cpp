#include "valence/values/gap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gap_parts.h"
#include "valence/stats/correlation.h"

namespace valence {
namespace {

constexpr double kHalfTurn = 180.0;

int order(double a, double b) { return (a > b) - (a < b); }

double ratio(double sum, double total) { return total > 0.0 ? sum / total : kNoGap; }

/// A correlation of the parts' profile and target; NaN where the profile is undefined, since NaN has no rank.
double correlation(const std::vector<GapPart>& parts, double (*of)(std::span<const double>, std::span<const double>)) {
  std::vector<double> profile, target;
  for (const auto& part : parts) {
    if (std::isnan(part.profile)) return kNoGap;
    profile.push_back(part.profile);
    target.push_back(part.target);
  }
  return of(profile, target);
}

}  // namespace

double l1_gap(std::span<const double> profile, std::span<const double> target, PairDistribution pairs,
              std::span<const double> weights) {
  const auto parts = gap_parts(profile, target, weights);
  double sum = 0.0, total = 0.0;  // over ordered pairs; a dimension with itself adds 0 to the sum
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [a, h, w] = parts[i];
    if (pairs == PairDistribution::kIndependent) total += w * w;
    for (std::size_t j = i + 1; j < parts.size(); ++j) {
      const double both = 2.0 * w * parts[j].weight;
      sum += both * std::abs((h - parts[j].target) - (a - parts[j].profile));
      total += both;
    }
  }
  return ratio(sum, total);
}

double l2_gap(std::span<const double> profile, std::span<const double> target, std::span<const double> weights) {
  double sum = 0.0, total = 0.0;
  for (const auto& [a, h, w] : gap_parts(profile, target, weights)) {
    sum += w * std::abs(h - a);
    total += w;
  }
  return ratio(sum, total);
}

double ordering_gap(std::span<const double> profile, std::span<const double> target, std::span<const double> weights) {
  const auto parts = gap_parts(profile, target, weights);
  double wrong = 0.0, ordered = 0.0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t j = i + 1; j < parts.size(); ++j) {
      const int wanted = order(parts[i].target, parts[j].target);
      if (wanted == 0) continue;
      if (std::isnan(parts[i].profile) || std::isnan(parts[j].profile)) return kNoGap;
      const double both = parts[i].weight * parts[j].weight;
      wrong += both * 0.5 * (1.0 - wanted * order(parts[i].profile, parts[j].profile));
      ordered += both;
    }
  }
  return ratio(wrong, ordered);
}

double euclidean_gap(std::span<const double> profile, std::span<const double> target, std::span<const double> weights) {
  const auto parts = gap_parts(profile, target, weights);
  if (parts.empty()) return kNoGap;
  double sum = 0.0;
  for (const auto& [a, h, w] : parts) sum += w * (a - h) * (a - h);
  return std::sqrt(sum);
}

double cosine_agreement(std::span<const double> profile, std::span<const double> target,
                        std::span<const double> weights) {
  double both = 0.0, of_profile = 0.0, of_target = 0.0;
  for (const auto& [a, h, w] : gap_parts(profile, target, weights)) {
    both += w * a * h;
    of_profile += w * a * a;
    of_target += w * h * h;
  }
  if (of_profile == 0.0 || of_target == 0.0) return kNoGap;
  return std::clamp(both / (std::sqrt(of_profile) * std::sqrt(of_target)), -1.0, 1.0);
}

double spearman_agreement(std::span<const double> profile, std::span<const double> target,
                          std::span<const double> weights) {
  return correlation(gap_parts(profile, target, weights), stats::spearman);
}

double kendall_agreement(std::span<const double> profile, std::span<const double> target,
                         std::span<const double> weights) {
  return correlation(gap_parts(profile, target, weights), stats::kendall_tau_b);
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
