#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "processes.h"
#include "task.h"

namespace valence::train {

/// What is added up over passes, then over processes.
struct Sums {
  double loss = 0.0;
  std::int64_t tokens = 0;  ///< computed, shared prefixes once
  Figures figures, drift;
  std::map<std::size_t, double> margins;  ///< by example; of tasks on pairs
};

/// Every process gets the sums of all, added in the order of ranks: the same bits everywhere.
Result<void> add_up(Processes& processes, Sums& sums);

}  // namespace valence::train
