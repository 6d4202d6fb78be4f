#pragma once

#include <cstddef>
#include <map>
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
  /// Of what kind the responses are, per prompt, where it is known: "coverage" (share of the target that is touched),
  /// "outside_domain" (share unlike what the evaluator was fitted on), "refused" (share), "words".
  std::map<std::string, std::vector<double>> kind = {};
};

/// What the course of an alignment says. `best`: the round with the largest mean held-out reward up to the turn.
struct OptimisationCourse {
  std::size_t best = 0;
  std::size_t kept = 0;  ///< the best round after a turn or where the last one's held-out reward lies below it (95 %), else the last
  std::optional<std::size_t> turn;  ///< first round after which the proxy was paid for with what it stands for
  bool silent = false;              ///< the turn is that fewer prompts were answered
  Estimate fall;  ///< at the turn minus at the best round, paired by prompt: held-out reward, or share answered (silent)
};

/// The turn is the first round that answers fewer prompts than the best round before it, or whose held-out reward lies
/// below that round's while the proxy has not fallen with it (the 95 % interval of its paired difference is not wholly
/// below 0). The fall must be clear of chance over all looks together: a course that stands still turns in at most 5 %
/// of alignments, however many rounds they have (Student's t over prompts, errors shared out over looks, over the rounds
/// that the best was chosen from and over both ways to turn). kWrongCount unless all points are of the same two or more
/// prompts.
Result<OptimisationCourse> course_of(std::span<const RewardPoint> points);

/// The point as a row of the store's training steps, from which reports draw proxy against held-out reward: step =
/// round, `kl`, `reward` (the proxy's mean), and `held_out_reward`, `answered` and those of the kind among the others. Means that are not defined are
/// left out.
TrainingStep training_step(const RewardPoint& point);

/// Rows for the record of proxy against held-out reward over √KL: array of `round`, `sqrt_kl`, `kl`, `proxy`,
/// `held_out`, `answered` and those of the kind (estimates over prompts).
Json to_json(std::span<const RewardPoint> points);

}  // namespace valence
