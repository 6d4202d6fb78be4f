#pragma once

#include <string>

#include "valence/align/value_check.h"
#include "valence/base/json.h"

namespace valence {

/// What an alignment in rounds (BaseAlign, RLHF) did, of its record: rounds, watched rewards, the turn, what was kept.
std::string rounds_text(const Json& record);

/// What constitutional alignment did, of its record.
std::string constitutional_text(const Json& record);

/// Before and after on held-out prompts: distances as each evaluator reads them, refusals, length, domain.
std::string value_check_text(const ValueCheck& check);

}  // namespace valence
