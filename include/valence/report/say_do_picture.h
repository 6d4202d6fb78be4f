#pragma once

#include <string>

#include "valence/instruments/say_do.h"
#include "valence/values/space.h"

namespace valence {

/// What is said on the left, what is done on the right, each value at its rank, a line between: level lines agree,
/// crossing ones do not. An SVG file of its own. `subject` is for the title.
Result<std::string> say_do_picture(const SayDo& result, const Space& space, const std::string& subject);

}  // namespace valence
