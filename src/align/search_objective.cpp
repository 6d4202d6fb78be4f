#include "search_objective.h"

#include <cmath>

#include "valence/instruments/answer_key.h"
#include "valence/instruments/svo.h"
#include "valence/instruments/target_gap.h"
#include "valence/values/space.h"

namespace valence {
namespace {

Result<double> ring_loss(const AnswerTable& answers, const Target& target, const Space& space) {
  VALENCE_TRY(const auto direction, only_direction(target));
  VALENCE_TRY(const auto measure, load_svo_measure());
  const double degrees = space.find(direction)->angle.value_or(0.0);
  double sum = 0.0, count = 0.0;
  for (const auto& row : answers.rows) {
    const auto place = measure.find(row.item);
    if (row.status != Status::kScored || !place || row.probability.size() != kSliderOptions) continue;
    const double share = share_attained(measure.items[*place].options, row.probability, degrees);
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

Result<double> search_loss(const Instrument& instrument, const Settings& settings, const AnswerTable& answers,
                           const Target& target) {
  VALENCE_TRY(const auto space, load_space(target.space));
  return space.kind == SpaceKind::kRing ? ring_loss(answers, target, space)
                                        : score_loss(instrument, settings, answers, target);
}

}  // namespace valence
