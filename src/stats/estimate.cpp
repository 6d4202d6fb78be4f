#include "valence/stats/estimate.h"

#include <fmt/format.h>

#include <cmath>

#include "valence/base/text.h"

namespace valence {

bool Estimate::has_interval() const { return std::isfinite(low) && std::isfinite(high); }

std::string interval_text(const Estimate& estimate) {
  if (!estimate.has_interval()) return "";
  return fmt::format("[{}, {}]", significant(estimate.low), significant(estimate.high));
}

std::string figure_text(const Estimate& estimate) {
  const auto interval = interval_text(estimate);
  return significant(estimate.value) + (interval.empty() ? "" : " " + interval);
}

}  // namespace valence
