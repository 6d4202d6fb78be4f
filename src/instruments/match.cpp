#include "valence/instruments/match.h"

#include <algorithm>
#include <cmath>

#include "gap_plan.h"
#include "valence/base/text.h"
#include "valence/stats/bootstrap.h"
#include "valence/stats/compare.h"
#include "valence/stats/correlation.h"

namespace valence {
namespace {

constexpr std::size_t kFewestMatched = 4;

Result<void> check_goals(const Instrument& instrument, const ComparedRun& run, std::span<const GapGoal> goals) {
  if (goals.size() < 2) return fail(ErrorCode::kUsage, "a match needs at least two targets in the run's convention (valence target list)");
  VALENCE_TRY(const auto space, instrument.space(*run.settings));
  for (const auto& goal : goals) {
    if (goal.target.space != space) return fail(ErrorCode::kUsage, "target {} lives in {}, the run in {}", goal.target.id, goal.target.space, space);
    if (goal.convention != goals.front().convention) {
      return fail(ErrorCode::kUsage, "targets {} and {} are {} and {} scores: match those of one convention", goals.front().target.id, goal.target.id,
                  goals.front().convention, goal.convention);
    }
  }
  return {};
}

/// Places of the run's figures that every target has something to say about, and that are defined.
struct Compared {
  std::vector<std::string> dimensions, left_out;
  std::vector<std::size_t> places;           // in the estimator
  std::vector<std::vector<double>> targets;  // [target][dimension]
};

Result<Compared> compared_places(const Estimator& estimator, std::span<const GapGoal> goals, const Space& space) {
  VALENCE_TRY(const auto plan, gap_places(goals.front(), space, estimator.estimands()));
  const auto figures = estimator.estimate(std::vector<double>(estimator.units().size(), 1.0));
  Compared compared;
  compared.targets.resize(goals.size());
  for (const auto& place : plan.places) {
    const bool wanted = std::all_of(goals.begin(), goals.end(), [&](const auto& goal) { return std::isfinite(goal.value(place.dimension)); });
    if (!wanted || std::isnan(figures[place.estimand])) {
      compared.left_out.push_back(place.dimension);
      continue;
    }
    compared.dimensions.push_back(place.dimension);
    compared.places.push_back(place.estimand);
    for (std::size_t t = 0; t < goals.size(); ++t) compared.targets[t].push_back(goals[t].value(place.dimension));
  }
  if (compared.dimensions.size() >= kFewestMatched) return compared;
  return fail(ErrorCode::kUsage, "the run and all targets have only {} dimensions in common, and an order needs {}; left out: {}", compared.dimensions.size(),
              kFewestMatched, join(compared.left_out, ", "));
}

/// Correlations with every target, then their ranks, 1 = highest.
std::vector<double> correlations_and_ranks(const Compared& compared, const std::vector<double>& figures) {
  std::vector<double> profile;
  for (const auto place : compared.places) profile.push_back(figures[place]);
  std::vector<double> values, negative;
  for (const auto& target : compared.targets) {
    values.push_back(stats::spearman(profile, target));
    negative.push_back(-values.back());
  }
  const auto ranks = stats::mid_ranks(negative);
  values.insert(values.end(), ranks.begin(), ranks.end());
  return values;
}

/// Two-sided bootstrap p that the difference of two columns is 0.
double difference_p(const stats::Replicates& replicates, std::size_t better, std::size_t worse) {
  const auto a = replicates.column(better), b = replicates.column(worse);
  double below = 0.0, above = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    below += a[i] <= b[i] ? 1.0 : 0.0;
    above += a[i] >= b[i] ? 1.0 : 0.0;
  }
  const auto count = static_cast<double>(a.size()) + 1.0;
  return std::min(1.0, 2.0 * (std::min(below, above) + 1.0) / count);
}

void compare_with_best(std::vector<TargetMatch>& matches, const std::vector<std::size_t>& order, const stats::Replicates& replicates) {
  std::vector<double> p;
  for (std::size_t i = 1; i < order.size(); ++i) p.push_back(difference_p(replicates, order.front(), order[i]));
  const auto corrected = stats::holm(p);
  for (std::size_t i = 1; i < order.size(); ++i) {
    matches[i].p_holm = corrected[i - 1];
    matches[i].tied_with_best = !(corrected[i - 1] < 0.05);
  }
}

}  // namespace

Result<Matching> match_targets(const Instrument& instrument, const ComparedRun& run, std::span<const GapGoal> goals,
                               const ProfileOptions& options) {
  VALENCE_CHECK(check_goals(instrument, run, goals));
  VALENCE_TRY(const auto space, load_space(goals.front().target.space));
  VALENCE_TRY(const auto estimator, instrument.prepare(*run.answers, *run.settings));
  VALENCE_TRY(const auto compared, compared_places(*estimator, goals, space));
  const auto clusters = stats::cluster_ids(estimator->clusters());
  VALENCE_TRY(const auto replicates,
              stats::replicate([&](std::span<const double> weights) { return correlations_and_ranks(compared, estimator->estimate(weights)); },
                               estimator->units().size(), clusters, options.replicates, options.seed));
  const auto estimates = stats::intervals(replicates, instrument.card().random_unit);
  std::vector<std::size_t> order(goals.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return replicates.point[a] > replicates.point[b]; });
  Matching matching{compared.dimensions, compared.left_out, {}};
  for (const auto t : order) {
    matching.matches.push_back({goals[t].target.id, within(estimates[t], -1.0, 1.0),
                                within(estimates[goals.size() + t], 1.0, static_cast<double>(goals.size())), 1.0, true});
  }
  compare_with_best(matching.matches, order, replicates);
  return matching;
}

}  // namespace valence
