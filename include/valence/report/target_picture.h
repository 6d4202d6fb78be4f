#pragma once

#include <span>
#include <string>

#include "valence/base/result.h"
#include "valence/values/target.h"

namespace valence {

/// Schwartz's circle with one or more targets on it, as an SVG file of its own (styles inside, nothing loaded). Targets
/// must live in one space, a circle, in one convention: kUsage otherwise. What a target leaves out has no mark.
Result<std::string> target_picture(std::span<const Target> targets);

}  // namespace valence
