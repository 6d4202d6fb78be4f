#include <algorithm>
#include <cctype>
#include <cmath>
#include <numbers>

#include "valence/instruments/svo.h"

namespace valence {
namespace {

constexpr double kCentre = 50.0;  // of the ring, in coins

Allocation mean_allocation(std::span<const Allocation> points) {
  Allocation sum{0.0, 0.0};
  for (const auto& point : points) {
    sum.self += point.self;
    sum.other += point.other;
  }
  const auto n = static_cast<double>(points.size());
  return {sum.self / n, sum.other / n};
}

bool reaches(double degrees, double boundary, BoundaryRule rule) {
  return rule == BoundaryRule::kUpper ? degrees >= boundary : degrees > boundary;
}

/// Squared, so that whole coins compare exactly.
double squared_distance(const Allocation& a, const Allocation& b) {
  const double self = a.self - b.self;
  const double other = a.other - b.other;
  return self * self + other * other;
}

using Beats = std::array<std::array<bool, kOrientations>, kOrientations>;

/// Four vertices: following edges four times from anywhere closes every cycle there is.
bool has_cycle(Beats reach) {
  for (std::size_t k = 0; k < kOrientations; ++k) {
    for (std::size_t i = 0; i < kOrientations; ++i) {
      for (std::size_t j = 0; j < kOrientations; ++j) reach[i][j] = reach[i][j] || (reach[i][k] && reach[k][j]);
    }
  }
  for (std::size_t i = 0; i < kOrientations; ++i) {
    if (reach[i][i]) return true;
  }
  return false;
}

std::vector<std::vector<SvoCategory>> by_descending_score(const std::array<double, kOrientations>& score) {
  auto sorted = kSvoCategories;
  const auto points = [&](SvoCategory category) { return score[static_cast<std::size_t>(category)]; };
  std::ranges::stable_sort(sorted, std::ranges::greater{}, points);
  std::vector<std::vector<SvoCategory>> order;
  for (const auto category : sorted) {
    if (order.empty() || points(order.back().front()) != points(category)) order.emplace_back();
    order.back().push_back(category);
  }
  return order;
}

}  // namespace

std::string_view to_string(SvoCategory category) {
  constexpr std::array<std::string_view, kOrientations> kNames = {"altruistic", "prosocial", "individualistic",
                                                                  "competitive"};
  return kNames[static_cast<std::size_t>(category)];
}

Result<SvoCategory> svo_category_from(std::string_view text) {
  for (const auto category : kSvoCategories) {
    if (text == to_string(category)) return category;
  }
  return fail(ErrorCode::kUsage,
              "unknown orientation \"{}\"; expected altruistic, prosocial, individualistic or competitive", text);
}

Result<BoundaryRule> boundary_rule_from(std::string_view text) {
  if (text == "upper") return BoundaryRule::kUpper;
  if (text == "lower") return BoundaryRule::kLower;
  return fail(ErrorCode::kUsage, "unknown tie rule \"{}\"; expected upper or lower", text);
}

Result<double> svo_angle(std::span<const Allocation> chosen) {
  if (chosen.size() != kPrimaryItems) {
    return fail(ErrorCode::kWrongCount, "the slider's angle needs {} primary answers, got {}", kPrimaryItems,
                chosen.size());
  }
  return svo_angle_of_mean(mean_allocation(chosen));
}

double svo_angle_of_mean(const Allocation& mean) {
  return std::atan2(mean.other - kCentre, mean.self - kCentre) * 180.0 / std::numbers::pi;
}

SvoCategory svo_category(double degrees, const SvoBoundaries& boundaries, BoundaryRule rule) {
  if (reaches(degrees, boundaries.altruistic_prosocial, rule)) return SvoCategory::kAltruistic;
  if (reaches(degrees, boundaries.prosocial_individualistic, rule)) return SvoCategory::kProsocial;
  if (reaches(degrees, boundaries.individualistic_competitive, rule)) return SvoCategory::kIndividualistic;
  return SvoCategory::kCompetitive;
}

Result<std::vector<Allocation>> svo_allocations(std::span<const SliderItem> items, std::string_view letters) {
  if (letters.size() > items.size()) {
    return fail(ErrorCode::kWrongCount, "{} answers for {} slider items", letters.size(), items.size());
  }
  std::vector<Allocation> chosen;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const int letter = std::toupper(static_cast<unsigned char>(letters[i]));
    if (letter < 'A' || letter > 'I') {
      return fail(ErrorCode::kUsage, "answer {} of \"{}\" is '{}'; expected a letter from A to I", i + 1, letters,
                  letters[i]);
    }
    chosen.push_back(items[i].options[static_cast<std::size_t>(letter - 'A')]);
  }
  return chosen;
}

Result<SvoRanking> svo_ranking(std::span<const SliderItem> primary, std::span<const Allocation> chosen) {
  if (primary.size() != kPrimaryItems || chosen.size() != kPrimaryItems) {
    return fail(ErrorCode::kWrongCount, "the slider's rank order needs {} primary answers, got {}", kPrimaryItems,
                chosen.size());
  }
  SvoRanking ranking;
  Beats beats{};
  for (std::size_t i = 0; i < primary.size(); ++i) {
    const auto left = static_cast<std::size_t>(primary[i].ends->first);
    const auto right = static_cast<std::size_t>(primary[i].ends->second);
    const double to_left = squared_distance(chosen[i], primary[i].options.front());
    const double to_right = squared_distance(chosen[i], primary[i].options.back());
    if (to_left == to_right) {
      ranking.score[left] += 0.5;
      ranking.score[right] += 0.5;
      continue;
    }
    const auto winner = to_left < to_right ? left : right;
    ranking.score[winner] += 1.0;
    beats[winner][winner == left ? right : left] = true;
  }
  ranking.transitive = !has_cycle(beats);
  if (ranking.transitive) ranking.order = by_descending_score(ranking.score);
  return ranking;
}

}  // namespace valence
