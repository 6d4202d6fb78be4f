#pragma once

#include <limits>

#include "valence/base/node.h"
#include "valence/values/target.h"

namespace valence {

/// The value of a dimension that a target says nothing about.
inline constexpr double kLeftOut = std::numeric_limits<double>::quiet_NaN();

/// Every key of the table is a dimension of the space, else the nearest is suggested.
Result<void> check_keys(const Node& values, const Space& space);

/// At least one value; unit scores within [-1, 1]; finite but for what is left out.
Result<void> check_values(const Target& target);

}  // namespace valence
