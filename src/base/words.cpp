#include "valence/base/words.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>

namespace valence {
namespace {

struct CodeRange {
  UChar32 first, last;
};

/// Blocks that the published tokenizers take for ideographs; the sixth begins 256 late, as theirs does.
constexpr std::array<CodeRange, 8> kIdeographs{{{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                                {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F}}};

bool is_ideograph(UChar32 c) {
  return std::ranges::any_of(kIdeographs, [c](const CodeRange& range) { return c >= range.first && c <= range.last; });
}

/// Unassigned characters are kept: they may be newer than the tables.
bool is_dropped(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0 || c == 0xFFFD || (U_GET_GC_MASK(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK)) != 0;
}

bool is_ascii_symbol(UChar32 c) { return c > 0x20 && c < 0x7F && !u_isalnum(c); }

bool is_separate(UChar32 c) { return is_ascii_symbol(c) || (U_GET_GC_MASK(c) & U_GC_P_MASK) != 0; }

/// Ideographs and white space are told before decomposition, which may turn them into something else.
icu::UnicodeString cleaned(std::string_view text) {
  const auto given = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  icu::UnicodeString out;
  for (std::int32_t i = 0; i < given.length(); i = given.moveIndex32(i, 1)) {
    const auto c = given.char32At(i);
    if (is_dropped(c)) continue;
    if (u_isUWhiteSpace(c)) {
      out.append(UChar32{' '});
    } else if (is_ideograph(c)) {
      out.append(UChar32{' '}).append(c).append(UChar32{' '});
    } else {
      out.append(c);
    }
  }
  return out;
}

icu::UnicodeString decomposed(const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* form = icu::Normalizer2::getNFDInstance(status);
  auto result = U_SUCCESS(status) ? form->normalize(text, status) : text;
  return U_SUCCESS(status) ? result : text;
}

void append_lower(icu::UnicodeString& out, UChar32 c) {
  constexpr UChar32 kDottedCapitalI = 0x130, kDotAbove = 0x307;  // the only letter that becomes two
  out.append(c == kDottedCapitalI ? UChar32{'i'} : u_tolower(c));
  if (c == kDottedCapitalI) out.append(kDotAbove);
}

icu::UnicodeString with_rules(const icu::UnicodeString& text, const WordRules& rules) {
  const auto given = rules.strip_accents ? decomposed(text) : text;
  icu::UnicodeString out;
  for (std::int32_t i = 0; i < given.length(); i = given.moveIndex32(i, 1)) {
    const auto c = given.char32At(i);
    if (rules.strip_accents && u_charType(c) == U_NON_SPACING_MARK) continue;
    if (rules.lowercase) {
      append_lower(out, c);
    } else {
      out.append(c);
    }
  }
  return out;
}

void append_utf8(std::string& out, UChar32 c) { icu::UnicodeString(c).toUTF8String(out); }

}  // namespace

std::vector<std::string> bert_words(std::string_view text, const WordRules& rules) {
  const auto given = with_rules(cleaned(text), rules);
  std::vector<std::string> words;
  bool open = false;  // the last word may still grow
  for (std::int32_t i = 0; i < given.length(); i = given.moveIndex32(i, 1)) {
    const auto c = given.char32At(i);
    const bool space = u_isUWhiteSpace(c), alone = is_separate(c);
    if (!space && (alone || !open)) words.emplace_back();
    if (!space) append_utf8(words.back(), c);
    open = !space && !alone;
  }
  return words;
}

}  // namespace valence
