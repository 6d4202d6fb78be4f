#include "valence/base/segment.h"

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "valence/base/text.h"

namespace valence {
namespace {

/// Calls `visit(code point, bytes)`; the code point is negative where the bytes are not UTF-8.
template <class Visit>
void visit_points(std::string_view text, Visit visit) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int64_t>(text.size());
  for (std::int64_t at = 0; at < size;) {
    const auto start = at;
    UChar32 point = 0;
    U8_NEXT(data, at, size, point);
    visit(point, text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(at - start)));
  }
}

bool has_category(UChar32 point, std::uint32_t mask) { return point >= 0 && (U_GET_GC_MASK(point) & mask) != 0; }

bool is_word_character(UChar32 point) { return has_category(point, U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK); }

bool is_apostrophe(UChar32 point) { return point == '\'' || point == 0x2019; }

std::unique_ptr<icu::BreakIterator> sentence_breaks() {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createSentenceInstance(icu::Locale::getRoot(), status));
  if (U_FAILURE(status)) std::abort();  // ICU carries these rules in its library: a broken installation
  return breaks;
}

}  // namespace

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  std::string word;
  bool apostrophe = false;  // after the word so far
  const auto end_word = [&] {
    if (!word.empty()) found.push_back(std::move(word));
    word.clear();
    apostrophe = false;
  };
  visit_points(fold(text), [&](UChar32 point, std::string_view bytes) {
    if (is_word_character(point)) {
      if (apostrophe) word += '\'';
      apostrophe = false;
      word += bytes;
    } else if (is_apostrophe(point) && !word.empty() && !apostrophe) {
      apostrophe = true;
    } else {
      end_word();
    }
  });
  end_word();
  return found;
}

std::string without_punctuation(std::string_view text) {
  std::string kept;
  visit_points(text, [&](UChar32 point, std::string_view bytes) {
    if (!has_category(point, U_GC_P_MASK)) kept += bytes;
  });
  return kept;
}

std::vector<std::string_view> split_at_space(std::string_view text) {
  std::vector<std::string_view> pieces;
  std::size_t start = 0, at = 0;
  const auto end_piece = [&] {
    if (at > start) pieces.push_back(text.substr(start, at - start));
  };
  visit_points(text, [&](UChar32 point, std::string_view bytes) {
    if (point >= 0 && u_isUWhiteSpace(point)) {
      end_piece();
      start = at + bytes.size();
    }
    at += bytes.size();
  });
  end_piece();
  return pieces;
}

std::vector<std::string_view> sentences(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UText, decltype(&utext_close)> source(
      utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status), &utext_close);
  const auto breaks = sentence_breaks();
  breaks->setText(source.get(), status);
  if (U_FAILURE(status)) return text.empty() ? std::vector<std::string_view>{} : std::vector{text};
  std::vector<std::string_view> found;
  std::size_t start = 0;
  for (auto end = breaks->next(); end != icu::BreakIterator::DONE; end = breaks->next()) {
    found.push_back(text.substr(start, static_cast<std::size_t>(end) - start));
    start = static_cast<std::size_t>(end);
  }
  return found;
}

}  // namespace valence
