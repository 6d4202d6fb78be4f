#include "gap_plan.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "valence/base/text.h"
#include "valence/values/gap.h"
#include "valence/values/gap_measures.h"

namespace valence {
namespace {

constexpr double kHalfTurn = 180.0;
constexpr double kGrid = 1e9;  // steps per unit: sums are exact to 1e-15 or so, and nothing measured is finer than this
constexpr std::string_view kAngleDistance = "angle_distance", kRationality = "value_rationality";
constexpr std::string_view kBlindAngle = "how far from the centre";

/// Numbers that differ by rounding only are equal: a flat profile has no order, and two equal distances no difference.
double snapped(double value) { return std::round(value * kGrid) / kGrid; }

std::vector<std::string> conventions_of(const Space& space, std::span<const Estimand> estimands) {
  std::set<std::string> names;
  for (const auto& estimand : estimands) {
    if (space.find(estimand.dimension) != nullptr && !estimand.condition.empty()) names.insert(estimand.condition);
  }
  return {names.begin(), names.end()};
}

Result<void> check_scale(const GapGoal& goal, const Estimand& estimand, double value) {
  if (std::isnan(value) || (value >= estimand.low && value <= estimand.high)) return {};
  return fail(ErrorCode::kUsage,
              "target {}: {} is {}, but {} scores of this run lie within {} to {}: the scales differ, so no distance means "
              "anything",
              goal.target.id, estimand.dimension, significant(value), goal.convention, significant(estimand.low),
              significant(estimand.high));
}

Result<std::vector<GapPlace>> score_places(const GapGoal& goal, const Space& space,
                                           std::span<const Estimand> estimands) {
  std::vector<GapPlace> places;
  for (const auto& dimension : space.dimensions) {
    const auto found = std::find_if(estimands.begin(), estimands.end(), [&](const Estimand& e) {
      return e.dimension == dimension.id && e.condition == goal.convention;
    });
    if (found == estimands.end()) continue;
    const double value = goal.value(dimension.id);
    VALENCE_CHECK(check_scale(goal, *found, value));
    const auto place = static_cast<std::size_t>(found - estimands.begin());
    places.push_back({dimension.id, place, value, goal.weight(dimension.id)});
  }
  return places;
}

tl::unexpected<Error> other_convention(const GapGoal& goal, const Space& space,
                                       std::span<const Estimand> estimands) {
  const auto conventions = conventions_of(space, estimands);
  if (conventions.empty()) {
    return fail(ErrorCode::kUsage, "target {} lives in {}, where this run has no figure", goal.target.id, space.id);
  }
  return fail(ErrorCode::kUsage,
              "target {} is given as {} scores, this run has {} ones: they cannot be subtracted from each other. Choose a "
              "target in the run's convention (valence target list), or name a map that leads there (--map, docs/targets.md)",
              goal.target.id, goal.convention, join(conventions, " and "));
}

/// The angle of each condition that names a direction; an angle without condition stands for every direction.
std::vector<GapPlace> angle_places(const GapGoal& goal, const Space& space, std::span<const Estimand> estimands) {
  std::vector<GapPlace> places;
  for (std::size_t i = 0; i < estimands.size(); ++i) {
    const auto& estimand = estimands[i];
    if (estimand.dimension != space.coordinate || !estimand.headline) continue;
    for (const auto& dimension : space.dimensions) {
      const double value = goal.value(dimension.id);
      const bool meant = estimand.condition.empty() || estimand.condition == dimension.id;
      if (meant && !std::isnan(value)) places.push_back({dimension.id, i, value, goal.weight(dimension.id)});
    }
  }
  return places;
}

bool chosen(std::span<const std::string> distances, std::string_view id) {
  return distances.empty() || std::find(distances.begin(), distances.end(), id) != distances.end();
}

Result<void> check_ring_distances(const GapGoal& goal, std::span<const std::string> distances) {
  for (const auto& distance : distances) {
    if (distance == kAngleDistance || (distance == kRationality && goal.target.reachable)) continue;
    const auto others = goal.target.reachable ? fmt::format(" and {}", kRationality)
                                         : fmt::format(" only, since target {} names no reachable range", goal.target.id);
    return fail(ErrorCode::kUsage, "distance \"{}\": angles have {}{}", printable(distance), kAngleDistance, others);
  }
  return {};
}

Estimand estimand_at(const GapPlace& at, std::string_view kind, std::string label) {
  Estimand estimand;
  estimand.id = fmt::format("{}.{}", kind, at.dimension);
  estimand.dimension = at.dimension;
  estimand.label = std::move(label);
  return estimand;
}

PlannedGap distance_at(std::size_t place, const GapPlace& at) {
  const auto label = fmt::format("distance from {} ({}°)", at.dimension, significant(at.target));
  auto estimand = estimand_at(at, kAngleDistance, label);
  estimand.unit = "degrees";
  estimand.low = 0.0;
  estimand.high = kHalfTurn;
  return {std::move(estimand), false, kBlindAngle,
          [place, wanted = at.target](std::span<const double> profile) { return angular_distance(profile[place], wanted); }};
}

PlannedGap rationality_at(std::size_t place, const GapPlace& at, const Band& band) {
  auto estimand = estimand_at(at, kRationality, fmt::format("value rationality towards {}", at.dimension));
  estimand.high = 1.0;
  return {std::move(estimand), true, kBlindAngle, [place, wanted = at.target, band](std::span<const double> profile) {
            return value_rationality(profile[place], wanted, band);
          }};
}

void plan_angles(GapPlan& plan, const GapGoal& goal, std::span<const std::string> distances) {
  for (std::size_t i = 0; i < plan.places.size(); ++i) {
    if (chosen(distances, kAngleDistance)) plan.gaps.push_back(distance_at(i, plan.places[i]));
  }
  for (std::size_t i = 0; i < plan.places.size() && goal.target.reachable; ++i) {
    if (chosen(distances, kRationality)) plan.gaps.push_back(rationality_at(i, plan.places[i], *goal.target.reachable));
  }
}

/// The fixed side of every measure.
struct TargetSide {
  std::vector<std::string> dimensions;
  std::vector<double> target, weights;
};

std::shared_ptr<const TargetSide> side_of(const std::vector<GapPlace>& places) {
  auto side = std::make_shared<TargetSide>();
  for (const auto& place : places) {
    side->dimensions.push_back(place.dimension);
    side->target.push_back(place.target);
    side->weights.push_back(place.weight);
  }
  return side;
}

PlannedGap planned(const GapMeasure& measure, std::shared_ptr<const TargetSide> side) {
  Estimand estimand;
  estimand.id = measure.id;
  estimand.label = measure.label;
  estimand.low = measure.low;
  estimand.high = measure.high;
  return {std::move(estimand), measure.agreement, measure.blind, [&measure, side = std::move(side)](std::span<const double> profile) {
            return measure.of({side->dimensions, profile, side->target, side->weights});
          }};
}

Result<std::vector<const GapMeasure*>> measures_for(std::string_view convention, std::span<const std::string> distances) {
  std::vector<const GapMeasure*> measures;
  for (const auto& id : distances) {
    VALENCE_TRY(const auto* measure, find_gap_measure(id));
    if (!applies(*measure, convention)) {
      return fail(ErrorCode::kUsage, "distance \"{}\" is for {} scores, and this run and target are compared as {} ones", id,
                  measure->scores == GapScores::kUnit ? "unit" : "centred or unit", convention);
    }
    measures.push_back(measure);
  }
  if (!measures.empty()) return measures;
  for (const auto& measure : gap_measures()) {
    if (applies(measure, convention)) measures.push_back(&measure);
  }
  return measures;
}

/// The masked reward never goes without the share of the target that it looked at.
std::vector<std::string> with_coverage(std::span<const std::string> distances) {
  std::vector<std::string> all(distances.begin(), distances.end());
  const auto reward = std::find(all.begin(), all.end(), "fulcra_reward");
  if (reward != all.end() && !chosen(distances, "fulcra_coverage")) all.insert(reward + 1, "fulcra_coverage");
  return all;
}

}  // namespace

std::vector<double> GapPlan::profile(std::span<const double> figures) const {
  std::vector<double> values;
  values.reserve(places.size());
  for (const auto& place : places) values.push_back(snapped(figures[place.estimand]));
  return values;
}

std::vector<double> GapPlan::distances(std::span<const double> figures) const {
  const auto at_places = profile(figures);
  std::vector<double> values;
  values.reserve(gaps.size());
  for (const auto& gap : gaps) values.push_back(snapped(gap.of(at_places)));
  return values;
}

Result<GapPlan> gap_places(const GapGoal& goal, const Space& space, std::span<const Estimand> estimands) {
  GapPlan plan;
  if (space.kind == SpaceKind::kRing) {
    plan.convention = space.unit;
    plan.places = angle_places(goal, space, estimands);
    if (!plan.places.empty()) return plan;
    return fail(ErrorCode::kUsage, "target {}: this run has no {} for any of its directions", goal.target.id, space.coordinate);
  }
  plan.convention = goal.convention;
  VALENCE_TRY(plan.places, score_places(goal, space, estimands));
  if (plan.places.empty()) return other_convention(goal, space, estimands);
  return plan;
}

Result<void> plan_gaps(GapPlan& plan, const GapGoal& goal, const Space& space, std::span<const std::string> distances) {
  if (space.kind == SpaceKind::kRing) {
    VALENCE_CHECK(check_ring_distances(goal, distances));
    plan_angles(plan, goal, distances);
    return {};
  }
  VALENCE_TRY(const auto measures, measures_for(plan.convention, with_coverage(distances)));
  const auto side = side_of(plan.places);
  for (const auto* measure : measures) plan.gaps.push_back(planned(*measure, side));
  return {};
}

}  // namespace valence
