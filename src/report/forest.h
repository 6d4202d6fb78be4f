#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "valence/stats/estimate.h"

namespace valence::report {

struct ForestPoint {
  std::size_t series;
  Estimate estimate;
  double systematic = 0.0;  ///< half-width added to the interval as a thin line
};

struct ForestRow {
  std::string label;
  std::string group;  ///< a gap and a heading stand where it changes; may be empty
  std::vector<ForestPoint> points;
  double reference;  ///< drawn as a dashed tick in this row; NaN for none
};

struct Forest {
  std::string id, title, description;
  std::vector<std::string> series;  ///< names, for the legend
  std::vector<ForestRow> rows;
  double low, high;                 ///< axis
  std::string unit;
  std::string reference_label;      ///< what the dashed tick is
};

/// Interval first: a row per figure, its label above its line, one line per series. Readable at phone width.
std::string draw_forest(const Forest& forest);

}  // namespace valence::report
