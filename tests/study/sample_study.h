#pragma once

#include <string>

#include "valence/base/text.h"

namespace valence::testing {

/// A whole study of a scripted subject, small enough for a test; {model} is left to fill in.
inline constexpr std::string_view kStudy = R"(
id = "trial"
title = "A trial"

[subject.base]
model = "{model}"

[target.prosocial]
target = "svo_reachable"
dimensions = ["prosocial"]

[align.persona]
method = "in_context"
subject = "base"
target = "prosocial"
instrument = "svo"
asked = { labels = "letters" }
settings = { prompt_wordings = 1, prompt_examples = "never" }

[measure.before]
instrument = "svo"
subject = "base"
settings = { labels = "letters" }

[measure.after]
instrument = "svo"
subject = "persona"
settings = { labels = "letters" }

[gap.change]
before = "before"
after = "after"
target = "prosocial"
distances = ["angle_distance"]

[report]
out = "{out}"
)";

inline std::string study_of(const std::string& out, const std::string& model = "scripted:ideal") {
  return replace_all(replace_all(std::string(kStudy), "{model}", model), "{out}", out);
}

}  // namespace valence::testing
