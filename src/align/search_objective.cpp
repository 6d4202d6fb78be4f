#include "search_objective.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "valence/instruments/svo.h"
#include "valence/instruments/target_gap.h"
#include "valence/values/space.h"

namespace valence {
namespace {

double towards(const Allocation& coins, double degrees) {
  const double radians = degrees * std::numbers::pi / 180.0;
  return coins.self * std::cos(radians) + coins.other * std::sin(radians);
}

/// The expected share of what the item offers; NaN where every option offers the same.
double share_attained(const SliderItem& item, const std::vector<double>& probability, double degrees) {
  double low = towards(item.options[0], degrees), high = low, expected = 0.0;
  for (std::size_t i = 0; i < kSliderOptions; ++i) {
    const double value = towards(item.options[i], degrees);
    low = std::min(low, value);
    high = std::max(high, value);
    expected += probability[i] * value;
  }
  constexpr double kRounding = 1e-9;
  return high - low > kRounding ? (expected - low) / (high - low) : std::nan("");
}

Result<double> ring_loss(const AnswerTable& answers, const Target& target, const Space& space) {
  VALENCE_TRY(const auto direction, only_direction(target));
  VALENCE_TRY(const auto measure, load_svo_measure());
  const double degrees = space.find(direction)->angle.value_or(0.0);
  double sum = 0.0, count = 0.0;
  for (const auto& row : answers.rows) {
    const auto place = measure.find(row.item);
    if (row.status != Status::kScored || !place || row.probability.size() != kSliderOptions) continue;
    const double share = share_attained(measure.items[*place], row.probability, degrees);
    if (std::isnan(share)) continue;
    sum += share;
    count += 1.0;
  }
  if (count == 0.0) return fail(ErrorCode::kUsage, "no item that can tell towards {} was answered", direction);
  return 1.0 - sum / count;
}

Result<double> score_loss(const Instrument& instrument, const Settings& settings, const AnswerTable& answers,
                          const Target& target) {
  const std::vector<std::string> distance = {"l2"};
  VALENCE_TRY(const auto gap,
              target_gap(instrument, {&settings, &answers}, goal_of(target), distance, {.replicates = 2, .seed = 0}));
  return gap.figures.front().estimate.value;
}

}  // namespace

Result<std::string> only_direction(const Target& target) {
  std::vector<std::string> directions;
  for (const auto& [dimension, value] : target.values) {
    if (!std::isnan(value)) directions.push_back(dimension);
  }
  if (directions.size() == 1) return directions.front();
  return fail(ErrorCode::kUsage,
              "target {} holds an angle for {}; a subject can be brought to one: name it (dimensions = [\"{}\"], or "
              "--direction)",
              target.id, fmt::join(directions, ", "), directions.empty() ? "…" : directions.front());
}

Result<double> search_loss(const Instrument& instrument, const Settings& settings, const AnswerTable& answers,
                           const Target& target) {
  VALENCE_TRY(const auto space, load_space(target.space));
  return space.kind == SpaceKind::kRing ? ring_loss(answers, target, space)
                                        : score_loss(instrument, settings, answers, target);
}

}  // namespace valence
