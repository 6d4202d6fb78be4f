#pragma once

#include <string>
#include <vector>

#include "panels.h"
#include "valence/instruments/measure.h"

namespace valence::report {

std::vector<const Difference*> headline_of(const std::vector<Difference>& differences);

/// Figures that share an axis are drawn together.
std::vector<std::vector<const Difference*>> by_axis(const std::vector<const Difference*>& rows);

/// The smallest number of one digit that is at least `most`; 1 for 0, so that an axis has a width.
double nice_bound(double most);

struct DifferenceWords {
  std::string title;
  std::string series;     ///< "after minus before"
  std::string reference;  ///< what 0 means: "no change"
  std::string caption;
};

/// Differences around 0 with their intervals, on an axis that holds them all; the rows share a unit.
std::string difference_forest(const std::vector<const Difference*>& rows, const DifferenceWords& words, Ids& ids);

}  // namespace valence::report
