#pragma once

#include <span>
#include <string>
#include <string_view>

#include "valence/base/result.h"

namespace valence {

/// A profile and a target, dimension by dimension, both in the same convention.
struct GapInput {
  std::span<const std::string> dimensions;  ///< ids
  std::span<const double> profile;
  std::span<const double> target;           ///< NaN: no part of the target
  std::span<const double> weights;          ///< empty = 1 each
};

/// What scores must be for a measure to mean anything.
enum class GapScores {
  kAny,       ///< also ratings as given, whose zero is arbitrary
  kWithZero,  ///< 0 means neutral: centred scores, or scaled to [-1, 1]
  kUnit,      ///< scaled to [-1, 1]
};

/// One way to say how far a profile is from a target.
struct GapMeasure {
  std::string_view id;    ///< "l1"
  std::string_view label;
  double low, high;       ///< possible range
  bool agreement;         ///< the larger, the nearer; else the smaller
  bool of_target;         ///< false: looks at the profile only
  GapScores scores;
  std::string_view blind; ///< what it cannot tell, in half a sentence
  double (*of)(const GapInput&);
};

/// All measures of a vector of scores, in the order in which they are shown. Rings have angular_distance instead.
std::span<const GapMeasure> gap_measures();

/// kUsage with the nearest name suggested.
Result<const GapMeasure*> find_gap_measure(std::string_view id);

/// Whether a measure can be taken of scores in a convention ("raw", "centred", "unit").
bool applies(const GapMeasure& measure, std::string_view convention);

}  // namespace valence
