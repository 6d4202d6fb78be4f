#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/stats/estimate.h"
#include "valence/store/training.h"

namespace valence {

/// Where an alignment stood after a round (0: before the first), on prompts that are not trained on.
struct RewardPoint {
  std::size_t round = 0;
  double kl = 0.0;               ///< from the subject that alignment began with, nats per response; sampled, at least 0
  std::vector<double> proxy;     ///< mean reward per prompt, of the evaluator that is optimised; NaN = not read
  std::vector<double> held_out;  ///< the same prompts, by an evaluator of other rows and features
};

/// What the course of an alignment says. `best`: the round with the largest mean held-out reward up to the turn.
struct OptimisationCourse {
  std::size_t best = 0;
  std::optional<std::size_t> turn;  ///< first round after which the proxy was paid for with what it stands for
  Estimate fall;                    ///< held-out reward at the turn minus that at the best round, paired by prompt
};

/// The turn is the first round whose held-out reward lies below that of the best round before it, the 95 % interval of
/// the paired difference (Student's t over prompts) wholly below 0, while the proxy has not fallen with it: the
/// interval of its difference is not wholly below 0. Noise alone turns 2.5 % of the rounds of a course that stands
/// still. kWrongCount unless all points are of the same two or more prompts.
Result<OptimisationCourse> course_of(std::span<const RewardPoint> points);

/// The point as a row of the store's training steps, from which reports draw proxy against held-out reward: step =
/// round, `kl`, `reward` (the proxy's mean), and `held_out_reward` among the others. Means that are not defined are
/// left out.
TrainingStep training_step(const RewardPoint& point);

/// Rows for the record of proxy against held-out reward over √KL: array of `round`, `sqrt_kl`, `kl`, `proxy`,
/// `held_out` (estimates over prompts).
Json to_json(std::span<const RewardPoint> points);

}  // namespace valence
