#include "valence/evaluate/evidence.h"

#include "valence/base/segment.h"
#include "valence/base/text.h"

namespace valence {

Result<std::vector<EvidenceSpan>> evidence_of(const Evaluator& evaluator, const PromptedText& text) {
  std::vector<EvidenceSpan> spans;
  std::vector<PromptedText> variants = {text};
  std::size_t at = 0;
  for (const auto sentence : sentences(text.response)) {
    if (!trim(sentence).empty()) {
      spans.push_back({at, sentence.size(), {}});
      variants.push_back({text.prompt, text.response.substr(0, at) + text.response.substr(at + sentence.size())});
    }
    at += sentence.size();
  }
  VALENCE_TRY(const auto probabilities, evaluator.evaluate(variants));
  for (std::size_t s = 0; s < spans.size(); ++s) {
    for (std::size_t d = 0; d < probabilities.dims; ++d) {
      spans[s].contribution.push_back(probabilities.soft(0, d) - probabilities.soft(s + 1, d));
    }
  }
  return spans;
}

}  // namespace valence
