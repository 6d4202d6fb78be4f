#pragma once

#include <string>
#include <string_view>

#include "valence/base/result.h"
#include "valence/evaluate/labelled.h"

namespace valence {

/// The two sides of the one split of prompts: what is trained on, and what is measured on.
enum class PromptSide { kTraining, kHeldOut };

std::string_view to_string(PromptSide side);  ///< "training", "held_out"
Result<PromptSide> prompt_side_from(std::string_view text);

/// The side of a prompt, the same for every data set, evaluator, aligner and measurement: a hash of the prompt alone,
/// half of all prompts on each side. `opening`: what the person said first. Case, punctuation and spacing do not count,
/// so a prompt that stands in two data sets is on one side; dialogues with one opening stay together however they go
/// on.
PromptSide side_of(std::string_view opening);

/// The rows whose prompt is on a side.
LabelledData on_side(const LabelledData& data, PromptSide side);

/// The rule in words, for records.
std::string prompt_split_rule();

}  // namespace valence
