#pragma once

#include <span>
#include <string>
#include <vector>

#include "valence/exam/validity.h"

namespace valence {

/// What was answered to a prompt in free text.
struct OpenReply {
  std::string unit;    ///< the prompt's id
  std::string prompt;
  std::string response;
  Status status = Status::kScored;
};

/// The gate for answers in free text, where no choice question is put and no probe would tell anything. A refusal is an
/// answer here. Pure.
///
///  content_sensitivity  2·P − 1, P the probability that a response shares more with its own prompt than with another
///                       one of the set: words in common, each weighted by its rarity among the prompts, over the
///                       prompt's own sum of weights (ties half); mean over prompts. 0: what is said does not depend
///                       on what was asked
///  refusal_rate         share of responses that are empty or failed (Wilson)
Validity assess_open(std::span<const OpenReply> replies, const GateThresholds& thresholds);

}  // namespace valence
