#pragma once

#include <string_view>

#include "valence/exam/validity.h"

namespace valence {

/// A check as declared: its direction and what people read.
struct Declared {
  std::string_view id, label;
  double threshold;
  bool at_least;
};

/// The check with its verdict and, from the thresholds' file, its advice. An estimate that could not be formed (NaN)
/// passes in neither direction.
ValidityCheck judged(const Declared& declared, Estimate estimate, const GateThresholds& thresholds);

/// Within its domain, and 0 where only rounding is left of it.
Estimate clamped(Estimate estimate, double low, double high);

}  // namespace valence
