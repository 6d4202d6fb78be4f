#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/values/space.h"

namespace valence {

/// One published row: a model, and the arm it was examined under.
struct PublishedSeries {
  std::string label;
  std::string arm;             ///< "with", "without"; may be empty
  std::vector<double> values;  ///< by column; NaN where the publication gives none
};

/// Figures that a paper published, shown beside ours in a panel of their own, as they are.
struct PublishedFigures {
  std::string instrument;
  std::string title;
  std::string caption;  ///< how they were obtained and why they may not be comparable
  Provenance source;
  std::string axis;     ///< what is on the axis
  double axis_low = 0.0, axis_high = 1.0;
  std::vector<std::string> columns;  ///< dimensions or conditions
  std::vector<PublishedSeries> series;
};

/// Read from data/instruments/<id>/published.toml and the CSV it names. kNotFound when the instrument has none.
Result<PublishedFigures> published_figures(std::string_view instrument);

}  // namespace valence
