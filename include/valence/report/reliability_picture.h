#pragma once

#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/stats/calibration.h"

namespace valence {

/// What was promised of one event, and what happened.
struct ReliabilityPanel {
  std::string label;  ///< of the event
  std::vector<stats::ReliabilityBin> curve;
  double error = 0.0;  ///< expected calibration error over these bins
};

/// Promised probability against observed share, a panel per event beside each other: marks on the diagonal keep what
/// they promise, marks below it promise too much. An SVG file of its own. `title` says whose probabilities they are.
Result<std::string> reliability_picture(const std::vector<ReliabilityPanel>& panels, const std::string& title);

}  // namespace valence
