#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"

namespace valence::stats {

/// One item answered in one layout.
struct PlacedAnswer {
  std::size_t item = 0;                  ///< which item, any numbering
  std::span<const double> probability;   ///< per option in the item's own order, sums to 1
  std::span<const std::size_t> place;    ///< place (or label) at which each option was shown: a permutation
  double weight = 1.0;                   ///< of the random unit
};

struct PositionBias {
  std::vector<double> share;  ///< mean probability per place: each item's layouts averaged first, then items
  double bias = 0.0;          ///< total variation distance of `share` from uniform: 0 none, 1 − 1/places all on one
  std::size_t items = 0;
  std::size_t answers = 0;
};

/// How much of the answers goes by place. Meaningful where layouts are balanced, so that contents even out over places;
/// pass label indices as `place` to ask the same of labels. Weights: an answer counts by its weight within its item, an
/// item by the mean weight of its answers.
/// Fails with kWrongCount when answers have different numbers of places or a length does not fit, kInvalid when a place
/// is out of range or taken twice, or the weights are all zero.
Result<PositionBias> position_bias(std::span<const PlacedAnswer> answers);

struct OrderConsistency {
  double share = 0.0;          ///< weighted share of consistent items; NaN when no item was seen in two layouts
  std::size_t items = 0;       ///< items seen in at least two layouts
  std::size_t consistent = 0;  ///< of them: the same single most probable option in every layout
  std::size_t tied = 0;        ///< of them: some layout had no single most probable option (within 1e-9)
};

/// Whether the preferred content stays the same when the layout changes. A tie prefers nothing, so a tied item is not
/// consistent: a uniform responder scores 0. Answers of weight 0 are left out.
Result<OrderConsistency> order_consistency(std::span<const PlacedAnswer> answers);

}  // namespace valence::stats
