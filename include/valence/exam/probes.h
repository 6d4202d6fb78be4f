#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/exam/question.h"
#include "valence/exam/validity.h"

namespace valence {

/// One probe as it is put: an item (a word of a category among words of other categories) in one wording and one order.
struct ProbeQuestion {
  std::string item;                 ///< "probe 17"
  std::string block;                ///< "block 2": questions about the same words, the random unit
  std::string category;
  std::string wording;
  std::vector<std::string> options; ///< the right answer first, then the distractors
  std::vector<std::size_t> place;   ///< of each option, as shown
  std::string letter_form, text_form, unconditional_form;
};

/// As many items as there are options form a block: the same words in the same order and wordings, each word the right
/// answer once, so the right answer stands at every place equally often. About half of the blocks come in two of the
/// wordings, with another order for the second; every wording is used about equally often.

/// Completions per question that is also answered in sampled text.
inline constexpr std::size_t kAgreementDraws = 4;
/// `condition` of the rows: probes proper, and the same questions answered in sampled text.
inline constexpr const char* kProbeCondition = "probe";
inline constexpr const char* kAgreementCondition = "text agreement";

/// The probes for a form, drawn with `seed` from data/exam/probes.toml: `items` distinct items (kUsage below 100, and
/// above the number of words there are), 2–9 options. Pure but for reading the file.
Result<std::vector<ProbeQuestion>> probe_questions(const ProbeForm& form, std::uint64_t seed);

}  // namespace valence
