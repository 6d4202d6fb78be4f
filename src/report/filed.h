#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "valence/stats/estimate.h"

namespace valence::report {

// Numbers out of the JSON that steps of a study filed.

/// NaN where it is missing or null.
inline double number_at(const nlohmann::json& json, std::string_view key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

/// Value, interval and count of an estimate.
inline Estimate estimate_of(const nlohmann::json& json) {
  Estimate estimate;
  estimate.value = number_at(json, "value");
  estimate.low = number_at(json, "low");
  estimate.high = number_at(json, "high");
  estimate.count = json.value("count", std::size_t{0});
  return estimate;
}

}  // namespace valence::report
