#include "valence/instruments/target_gap.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "gap_figures.h"
#include "gap_plan.h"
#include "valence/stats/bootstrap.h"
#include "valence/stats/compare.h"
#include "valence/stats/distribution.h"

namespace valence {
namespace {

/// A run made ready to be reweighted.
struct Side {
  std::unique_ptr<Estimator> estimator;
  std::vector<double> figures;  // every weight 1
  std::unique_ptr<Estimator> by_answer;  // distances of single answers; may be null
};

std::vector<double> target_values(const GapGoal& goal, const Space& space) {
  std::vector<double> values;
  for (const auto& dimension : space.dimensions) values.push_back(goal.value(dimension.id));
  return values;
}

Result<Side> prepare(const Instrument& instrument, const ComparedRun& run, const GapGoal& goal) {
  VALENCE_TRY(const auto space, instrument.space(*run.settings));
  if (space != goal.target.space) {
    return fail(ErrorCode::kUsage, "target {} lives in {}, and {} measures in {}: name a target of {} (valence target list)",
                goal.target.id, goal.target.space, instrument.card().id, space, space);
  }
  Side side;
  VALENCE_TRY(side.estimator, instrument.prepare(*run.answers, *run.settings));
  side.figures = side.estimator->estimate(std::vector<double>(side.estimator->units().size(), 1.0));
  if (goal.convention == "unit") {
    VALENCE_TRY(const auto dimensions, load_space(space));
    VALENCE_TRY(side.by_answer, instrument.prepare_distances(*run.answers, *run.settings, target_values(goal, dimensions)));
  }
  return side;
}

bool is_missing(const GapPlace& place, const Side& side) {
  return !std::isnan(place.target) && std::isnan(side.figures[place.estimand]);
}

Result<GapPlan> places_of(const Side& side, const GapGoal& goal, const Space& space) {
  return gap_places(goal, space, side.estimator->estimands());
}

/// Keeps the places whose dimension both plans have; the other dimensions of the target are not compared.
void keep_common(GapPlan& plan, const GapPlan& other) {
  std::set<std::string> theirs;
  for (const auto& place : other.places) theirs.insert(place.dimension);
  std::erase_if(plan.places, [&](const GapPlace& place) { return !theirs.contains(place.dimension); });
}

void drop_missing(GapPlan& plan, const Side& side) {
  std::erase_if(plan.places, [&](const GapPlace& place) { return is_missing(place, side); });
}

Result<void> check_any(const GapPlan& plan, const GapGoal& goal) {
  for (const auto& place : plan.places) {
    if (!std::isnan(place.target)) return {};
  }
  return fail(ErrorCode::kUsage, "target {}: none of its dimensions is defined in this run", goal.target.id);
}

std::vector<std::string> compared(const GapPlan& plan) {
  std::vector<std::string> names;
  for (const auto& place : plan.places) {
    if (!std::isnan(place.target)) names.push_back(place.dimension);
  }
  return names;
}

/// What the target wants and the plan does not compare. In a ring a run that was asked for some directions only is whole.
std::vector<std::string> unmeasured(const GapPlan& plan, const GapGoal& goal, const Space& space) {
  std::vector<std::string> names;
  const auto has = compared(plan);
  for (const auto& [dimension, value] : goal.target.values) {
    const bool part = goal.weight(dimension) != 0.0;
    if (part && std::find(has.begin(), has.end(), dimension) == has.end()) names.push_back(dimension);
  }
  if (space.kind == SpaceKind::kRing) names.clear();
  return names;
}

/// Distances of single answers whose counterpart of the profile is planned, by their place in `by_answer`.
std::vector<std::size_t> chosen_by_answer(const Side& side, const GapPlan& plan) {
  std::vector<std::size_t> chosen;
  if (side.by_answer == nullptr) return chosen;
  const auto& estimands = side.by_answer->estimands();
  for (std::size_t i = 0; i < estimands.size(); ++i) {
    const bool planned = std::any_of(plan.gaps.begin(), plan.gaps.end(), [&](const auto& gap) { return gap.estimand.id == estimands[i].id; });
    if (planned) chosen.push_back(i);
  }
  return chosen;
}

/// What is put beside the plan's own distances: "responses.fulcra_l1".
std::vector<Distance> distances_of(const Side& side, const GapPlan& plan) {
  std::vector<Distance> all;
  for (const auto& gap : plan.gaps) all.push_back({gap.estimand, gap.agreement, gap.blind});
  const auto own = all;
  for (const auto i : chosen_by_answer(side, plan)) {
    const auto& id = side.by_answer->estimands()[i].id;
    auto distance = *std::find_if(own.begin(), own.end(), [&](const auto& d) { return d.estimand.id == id; });
    distance.estimand.id = "responses." + id;
    distance.estimand.label = distance.estimand.label + ", mean over responses";
    all.push_back(std::move(distance));
  }
  return all;
}

Result<stats::Replicates> replicate_gaps(const Side& side, const GapPlan& plan, const ProfileOptions& options) {
  const auto clusters = stats::cluster_ids(side.estimator->clusters());
  const auto by_answer = chosen_by_answer(side, plan);
  const auto all_distances = [&](std::span<const double> weights) {
    auto values = plan.distances(side.estimator->estimate(weights));
    if (by_answer.empty()) return values;
    const auto answers = side.by_answer->estimate(weights);
    for (const auto i : by_answer) values.push_back(answers[i]);
    return values;
  };
  return stats::replicate(all_distances, side.estimator->units().size(), clusters, options.replicates, options.seed);
}

/// The fewest units that any of the compared figures rests on.
std::size_t count_of(const Side& side, const GapPlan& plan) {
  const auto counts = side.estimator->unit_counts();
  auto fewest = side.estimator->units().size();
  for (const auto& place : plan.places) {
    if (!counts.empty() && !std::isnan(place.target)) fewest = std::min(fewest, counts[place.estimand]);
  }
  return fewest;
}

/// Distances over the places that are left in the plan.
Result<EvaluatedGap> evaluate(const Instrument& instrument, const Side& side, GapPlan plan, const GapGoal& goal,
                           const Space& space, std::span<const std::string> distances, const ProfileOptions& options) {
  VALENCE_CHECK(check_any(plan, goal));
  VALENCE_CHECK(plan_gaps(plan, goal, space, distances));
  VALENCE_TRY(auto replicates, replicate_gaps(side, plan, options));
  const auto& unit = instrument.card().random_unit;
  auto all = distances_of(side, plan);
  TargetGap gap{plan.convention, compared(plan), unmeasured(plan, goal, space), figures_of(all, count_of(side, plan), replicates, unit)};
  return EvaluatedGap{std::move(gap), std::move(all), std::move(replicates)};
}


}  // namespace

double GapGoal::weight(std::string_view dimension) const {
  for (std::size_t i = 0; i < target.values.size(); ++i) {
    const auto& [name, value] = target.values[i];
    if (name == dimension) return std::isnan(value) ? 0.0 : weights.empty() ? 1.0 : weights[i];
  }
  return 0.0;
}

double GapGoal::value(std::string_view dimension) const {
  return weight(dimension) != 0.0 ? *target.value(dimension) : std::numeric_limits<double>::quiet_NaN();
}

GapGoal goal_of(Target target) {
  const auto convention = target.scale == ScoreScale::kNone ? std::string() : std::string(to_string(target.scale));
  auto weights = target.weights;
  return {std::move(target), convention, std::move(weights)};
}

Result<TargetGap> target_gap(const Instrument& instrument, const ComparedRun& run, const GapGoal& goal,
                             std::span<const std::string> distances, const ProfileOptions& options) {
  VALENCE_TRY(const auto space, load_space(goal.target.space));
  VALENCE_TRY(const auto side, prepare(instrument, run, goal));
  VALENCE_TRY(auto plan, places_of(side, goal, space));
  drop_missing(plan, side);
  VALENCE_TRY(auto evaluated, evaluate(instrument, side, std::move(plan), goal, space, distances, options));
  return std::move(evaluated.gap);
}

Result<ComparedGap> compare_gaps(const Instrument& instrument, const ComparedRun& first, const ComparedRun& second,
                                 const GapGoal& goal, std::span<const std::string> distances,
                                 const ProfileOptions& options) {
  VALENCE_TRY(const auto space, load_space(goal.target.space));
  VALENCE_TRY(const auto a, prepare(instrument, first, goal));
  VALENCE_TRY(const auto b, prepare(instrument, second, goal));
  VALENCE_TRY(auto plan_a, places_of(a, goal, space));
  VALENCE_TRY(auto plan_b, places_of(b, goal, space));
  drop_missing(plan_a, a);
  drop_missing(plan_b, b);
  keep_common(plan_a, plan_b);
  keep_common(plan_b, plan_a);
  VALENCE_TRY(auto of_a, evaluate(instrument, a, std::move(plan_a), goal, space, distances, options));
  VALENCE_TRY(auto of_b, evaluate(instrument, b, std::move(plan_b), goal, space, distances, options));
  return compared_gap(std::move(of_a), std::move(of_b), same_units(*a.estimator, *b.estimator), instrument.card().random_unit);
}

}  // namespace valence
