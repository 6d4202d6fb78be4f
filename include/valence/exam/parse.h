#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/store/answers.h"

namespace valence {

/// What a free-text answer to a choice question amounts to.
struct ParsedChoice {
  Status status = Status::kUnparseable;
  std::optional<std::size_t> place;  ///< index into labels, when scored
};

/// Phrases that mark a refusal, read from data/exam/refusals.toml; compared after Unicode folding.
Result<std::vector<std::string>> refusal_phrases();
bool is_refusal(std::string_view text, const std::vector<std::string>& phrases);

/// Reads the label, or failing that the option's text, that an answer names. Two different labels named as the answer,
/// or none, is unparseable: nothing is guessed. Works in linear time on any text.
ParsedChoice parse_choice(std::string_view text, const std::vector<std::string>& labels,
                          const std::vector<std::string>& contents, const std::vector<std::string>& refusals);

}  // namespace valence
