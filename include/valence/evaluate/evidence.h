#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"

namespace valence {

/// A sentence of a response and what it does to the evaluation.
struct EvidenceSpan {
  std::size_t first = 0, size = 0;   ///< bytes of the response
  std::vector<double> contribution;  ///< per dimension: soft value of the whole minus that without this sentence
};

/// Which sentences carry an evaluation: each is left out in turn (occlusion; Zeiler and Fergus 2014, for text),
/// whatever the features and head. Sentences that say the same hide each other: contributions need not add up to the
/// value.
Result<std::vector<EvidenceSpan>> evidence_of(const Evaluator& evaluator, const PromptedText& text);

}  // namespace valence
