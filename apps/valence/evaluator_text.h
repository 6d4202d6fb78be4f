#pragma once

#include <span>
#include <string>
#include <vector>

#include "valence/base/terminal.h"
#include "valence/evaluate/evaluator.h"
#include "valence/evaluate/evidence.h"
#include "valence/evaluate/quality.h"

namespace valence {

/// "upheld", "opposed" or a dash.
std::string label_text(ValueLabel label);

/// Pooled figures of several evaluators on the same rows, then the first one's by dimension, calibration and sets.
std::string quality_text(const std::vector<QualityReport>& reports, const Terminal& terminal);
std::string differences_text(std::string_view first, std::string_view second,
                             const std::vector<QualityDifference>& differences);

/// One text's soft values and labels; with evidence, the sentences that carry the dimensions that are not 0.
std::string evaluation_text(const Evaluator& evaluator, const ClassProbabilities& probabilities,
                            const PromptedText& text, const std::vector<EvidenceSpan>& evidence);
Json evaluation_json(const Evaluator& evaluator, const ClassProbabilities& probabilities, std::size_t row,
                     const PromptedText& text, const std::vector<EvidenceSpan>& evidence);
/// What it was made of and from.
Json evaluator_json(const Evaluator& evaluator);
/// "penalty 0.1": what inner folds chose, per part.
std::string penalties_text(const Evaluator& evaluator);
/// A line on how far its readings were seen to travel.
std::string unseen_text(const Evaluator& evaluator);
Json differences_json(std::string_view first, std::string_view second,
                      const std::vector<QualityDifference>& differences);

}  // namespace valence
