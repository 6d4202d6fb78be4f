#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "answer_scan.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using Kind = AnswerToken::Kind;

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_foreign(char c) { return (static_cast<std::uint8_t>(c) & 0x80U) != 0; }
bool is_word_byte(char c) { return is_ascii_letter(c) || is_digit(c) || c == '_' || is_foreign(c); }

/// General punctuation and symbols (U+2000–U+2BFF), CJK punctuation and emoji, told by their first UTF-8 bytes.
bool is_foreign_mark(std::string_view rest) {
  const auto first = static_cast<std::uint8_t>(rest.front());
  const auto second = rest.size() > 1 ? static_cast<std::uint8_t>(rest[1]) : std::uint8_t{0};
  return (first == 0xE2 && second < 0xB0) || (first == 0xE3 && second == 0x80) || (first == 0xF0 && second == 0x9F);
}

std::size_t bytes_of_point(char lead) {
  const auto byte = static_cast<std::uint8_t>(lead);
  return byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
}

std::string plain_marks(std::string text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kKin{{{"\u2018", "'"},
                                                                              {"\u2019", "'"},
                                                                              {"\u201C", "\""},
                                                                              {"\u201D", "\""},
                                                                              {"\u2010", "-"},
                                                                              {"\u2011", "-"},
                                                                              {"\u2013", " - "},
                                                                              {"\u2014", " - "}}};
  for (const auto& [from, to] : kKin) text = replace_all(text, from, to);
  return text;
}

/// Whether the mark at `at` joins two parts of one word: "don't", "a-level", "3.5", "85,000".
bool joins(std::string_view text, std::size_t at) {
  if (at == 0 || at + 1 >= text.size()) return false;
  const char mark = text[at];
  const char before = text[at - 1];
  const char after = text[at + 1];
  if (mark == '\'' || mark == '-') return is_word_byte(before) && is_word_byte(after);
  return (mark == '.' || mark == ',') && is_digit(before) && is_digit(after);
}

std::size_t word_end(std::string_view text, std::size_t at) {
  for (const auto start = at; at < text.size(); ++at) {
    if (is_foreign(text[at]) && is_foreign_mark(text.substr(at))) break;
    if (!is_word_byte(text[at]) && (at == start || !joins(text, at))) break;
  }
  return at;
}

/// Bytes 0x80–0xBF go on a character, so a word never ends inside of one but before a mark.
void add_mark(AnswerTokens& tokens, std::string_view mark) {
  if (mark == "\n" || mark == "\r") {
    tokens.push_back({Kind::kLineEnd, "\n"});
  } else if (mark != " " && mark != "\t") {
    tokens.push_back({Kind::kMark, std::string(mark)});
  }
}

}  // namespace

AnswerTokens scan_answer(std::string_view text) {
  const auto folded = plain_marks(fold(text));
  const std::string_view rest(folded);
  AnswerTokens tokens;
  for (std::size_t at = 0; at < rest.size();) {
    const auto end = word_end(rest, at);
    if (end > at) {
      tokens.push_back({Kind::kWord, std::string(rest.substr(at, end - at))});
      at = end;
      continue;
    }
    const auto size = std::min(bytes_of_point(rest[at]), rest.size() - at);
    add_mark(tokens, rest.substr(at, size));
    at += size;
  }
  return tokens;
}

}  // namespace valence
