#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "valence/base/result.h"
#include "valence/store/answers.h"

namespace valence {

/// Answers as text, one line (JSONL) or record (CSV) each, the instrument's own first, then the gate's probes. Keys and
/// columns are fixed, in this order:
///
///   instrument     id
///   probe          true for the gate's questions, which are never scored
///   unit cluster condition item variant layout     as in AnswerRow
///   format         letter, text
///   route          exact, sampled, given
///   status         scored, refused, unparseable, error
///   probability    per option in the item's own order; JSON array, in CSV numbers separated by spaces
///   place          where each option was shown, from 0; likewise
///   captured_mass draws text digest                as in AnswerRow
///
/// Numbers are written so that reading them gives the same bits.
std::string answers_jsonl(const AnswerTable& table);
std::string answers_csv(const AnswerTable& table);

/// Reads either form, by the file's ending (.jsonl or .csv): what was exported, or what people and other tools answered.
/// Only `item` and `probability` are needed (a plain choice is 1 for the option chosen, 0 for the others); what is left
/// out takes AnswerRow's default, but route is `given`. Fails with kUsage, file, line and column on unknown columns,
/// probabilities that are negative or do not sum to 1, places that are no permutation, more than one instrument.
Result<AnswerTable> import_answers(const std::filesystem::path& path);
Result<AnswerTable> parse_answers_jsonl(std::string_view text, std::string_view name);
Result<AnswerTable> parse_answers_csv(std::string_view text, std::string_view name);

}  // namespace valence
