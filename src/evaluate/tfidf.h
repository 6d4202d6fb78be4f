#pragma once

#include <memory>

#include "valence/evaluate/features.h"

namespace valence {

/// Which part of a dialogue the words come from.
enum class TfidfText { kDialogue, kPrompt, kResponse };

/// Words and pairs of neighbouring words that occur in at least two training texts, weighted tf·idf with
/// idf = ln((1 + n)/(1 + df)) + 1, rows of length 1 (the form of Salton and Buckley 1988 that common toolkits use). A
/// text without a known word is a row of zeros. Prompt and response do not share pairs.
std::shared_ptr<const FeatureFamily> tfidf_family(TfidfText text);

}  // namespace valence
