#pragma once

#include <cstdint>
#include <span>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/stats/estimate.h"
#include "valence/train/example.h"

namespace valence {

/// Does an implicit reward find the better answer of pairs that were held out, and better than length would?
struct PairAccuracy {
  Estimate reward;      ///< share of the pairs in which the better answer's reward is larger; ties half
  Estimate length;      ///< the same for the rule that looks at lengths only
  Estimate difference;  ///< reward minus length, paired
  bool longer =
      false;  ///< the rule takes the longer answer for the better, as most of the training pairs do; else the shorter
  std::size_t pairs = 0, prompts = 0;
  /// Of `prompts`: those that stand among the training pairs too, token for token. For them the shares show what was
  /// learned by heart as well.
  std::size_t prompts_trained_on = 0;
};

/// `margins`: reward of the better answer minus that of the other, one per held-out pair. Intervals: 95 %, cluster
/// bootstrap over prompts, since pairs of one prompt are not independent. kWrongCount when margins and pairs differ in
/// number; kUsage without pairs.
Result<PairAccuracy> pair_accuracy(std::span<const TrainingExample> training, std::span<const TrainingExample> held_out,
                                   std::span<const double> margins, std::uint64_t seed);

Json to_json(const PairAccuracy& accuracy);

}  // namespace valence
