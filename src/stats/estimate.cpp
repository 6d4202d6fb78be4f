#include "valence/stats/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "valence/base/text.h"

namespace valence {

bool Estimate::has_interval() const { return std::isfinite(low) && std::isfinite(high); }

Estimate within(Estimate estimate, double low, double high) {
  if (!estimate.has_interval()) return estimate;
  estimate.low = std::max(estimate.low, low);
  estimate.high = std::min(estimate.high, high);
  return estimate;
}

std::string interval_text(const Estimate& estimate) {
  if (!estimate.has_interval()) return "";
  return fmt::format("[{}, {}]", significant(estimate.low), significant(estimate.high));
}

std::string figure_text(const Estimate& estimate) {
  const auto interval = interval_text(estimate);
  return significant(estimate.value) + (interval.empty() ? "" : " " + interval);
}

std::string percent_text(const Estimate& share) {
  if (!std::isfinite(share.value)) return "";
  const auto percent = [](double value) { return std::round(100.0 * value) + 0.0; };  // never "-0"
  const auto text = fmt::format("{} %", percent(share.value));
  return share.has_interval() ? fmt::format("{} [{}, {}]", text, percent(share.low), percent(share.high)) : text;
}

}  // namespace valence
