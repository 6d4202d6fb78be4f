#pragma once

#include <string>
#include <vector>

#include "valence/stats/estimate.h"

namespace valence::report {

struct DumbbellRow {
  std::string label;
  Estimate before, after, change;
  double target;  ///< NaN for none
};

struct Dumbbell {
  std::string id, title, description;
  std::string before, after;  ///< names, for the legend
  std::vector<DumbbellRow> rows;
  double low, high;  ///< axis
  std::string unit;
  std::string target_label;  ///< empty where no row has a target
};

/// Before as an open mark, after as a filled one, a bar between, the target as a dashed tick; the change with its
/// paired interval in figures under the label.
std::string draw_dumbbell(const Dumbbell& dumbbell);

}  // namespace valence::report
