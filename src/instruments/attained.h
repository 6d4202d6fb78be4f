#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "valence/instruments/allocation.h"
#include "valence/instruments/instrument.h"

namespace valence {

/// Divisions of each item, by its id.
using AllocationItems = std::map<std::string, std::vector<Allocation>>;

/// What choices among divisions amount to where there is no angle, per direction of the ring:
///   attained.<direction>  share of what the items offer in the direction, from each item's worst option to its best
///   chosen.<direction>    probability on the options that are best in the direction; items where all are equal left
///   out
/// Means over the random units of the rows. kUsage on an item that is not among `items`.
Result<std::unique_ptr<Estimator>> attained_estimator(const AnswerTable& table, const AllocationItems& items);

}  // namespace valence
