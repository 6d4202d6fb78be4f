#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace valence {

/// A word, a number or a single mark of an answer. Words are folded; joined ones ("a-level", "don't", "3.5") stay whole.
struct AnswerToken {
  enum class Kind { kWord, kMark, kLineEnd };
  Kind kind;
  std::string text;
};
using AnswerTokens = std::vector<AnswerToken>;

/// Whether a token is one of a list of words.
template <std::size_t N>
bool is_word(const AnswerToken& token, const std::array<std::string_view, N>& words) {
  return token.kind == AnswerToken::Kind::kWord && std::ranges::find(words, token.text) != words.end();
}

/// Folds the text (full-width forms become plain ones, typographic quotes and dashes their plain kin) and cuts it into
/// tokens. Linear in the text.
AnswerTokens scan_answer(std::string_view text);

/// What a text names by label. Indices into `labels`, distinct, in order of first mention.
struct NamedLabels {
  std::vector<std::size_t> answers;  ///< "B." and "(B)" at the start of a line, "Answer: B", "I choose B because"
  std::vector<std::size_t> denied;   ///< "not B", "I would never choose B"
  std::size_t after = 0;             ///< index of the token after the first answer
};

/// A label counts only where it cannot be an ordinary word: it must be the first thing on its line or follow a word that
/// announces an answer, and be closed by the end, a mark or a reason. So "A person" and "I think" name nothing.
NamedLabels named_labels(const AnswerTokens& tokens, const std::vector<std::string>& labels);

/// The option whose text the answer gives: at its beginning ("I would …" and the like aside), closed by the end, a mark
/// or a reason, with no other option's text elsewhere. Nothing when there is none, or more than one.
std::optional<std::size_t> named_content(const AnswerTokens& tokens, const std::vector<std::string>& contents);

/// The option whose text is all that stands from token `from` to the end of the line, marks aside.
std::optional<std::size_t> content_of_line(const AnswerTokens& tokens, std::size_t from,
                                           const std::vector<std::string>& contents);

}  // namespace valence
