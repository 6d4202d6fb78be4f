#include "valence/base/text.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace valence {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct CodePoint {
  UChar32 value;           // negative when the bytes are not UTF-8
  std::string_view bytes;  // where it stands
};

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int64_t>(text.size());
  auto end = static_cast<std::int64_t>(at);
  UChar32 value = 0;
  U8_NEXT(data, end, size, value);
  return {value, text.substr(at, static_cast<std::size_t>(end) - at)};
}

template <class Visit>
void for_each_code_point(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    const auto point = code_point_at(text, at);
    visit(point);
    at += point.bytes.size();
  }
}

std::vector<UChar32> decode(std::string_view text) {
  std::vector<UChar32> points;
  for_each_code_point(text, [&](const CodePoint& point) { points.push_back(point.value); });
  return points;
}

// ---- templates

std::string names_of(const std::vector<std::pair<std::string, std::string>>& values) {
  std::vector<std::string> names;
  for (const auto& entry : values) names.push_back(fmt::format("{{{}}}", entry.first));
  return names.empty() ? "none" : join(names, ", ");
}

Result<std::string> value_of(std::string_view name, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return fail(ErrorCode::kUsage, "the template asks for {{{}}}, which is not among its values ({})", name,
              names_of(values));
}

tl::unexpected<Error> unpaired(char brace, std::size_t at) {
  return fail(ErrorCode::kUsage, "the template has an unpaired \"{}\" at byte {}; write \"{}{}\" for the character",
              brace, at + 1, brace, brace);
}

// ---- widths

bool is_joining_jamo(UChar32 point) {
  const auto type = u_getIntPropertyValue(point, UCHAR_HANGUL_SYLLABLE_TYPE);
  return type == U_HST_VOWEL_JAMO || type == U_HST_TRAILING_JAMO;
}

bool takes_no_column(UChar32 point) {
  const auto mask = U_GET_GC_MASK(point);
  return (mask & (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK | U_GC_CC_MASK)) != 0 || is_joining_jamo(point);
}

std::size_t columns_of(UChar32 point) {
  if (point < 0) return 1;  // shown as U+FFFD
  if (takes_no_column(point)) return 0;
  const auto width = u_getIntPropertyValue(point, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

/// Index after a colour sequence (`ESC [ … m`) that starts at `at`, or `at`.
std::size_t after_colour(const std::vector<UChar32>& points, std::size_t at) {
  if (points[at] != 0x1B || at + 1 >= points.size() || points[at + 1] != '[') return at;
  auto end = at + 2;
  while (end < points.size() && ((points[end] >= '0' && points[end] <= '9') || points[end] == ';')) ++end;
  return end < points.size() && points[end] == 'm' ? end + 1 : at;
}

// ---- nearest name

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each at cost 1.
std::size_t edit_distance(const std::vector<UChar32>& a, const std::vector<UChar32>& b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::string shortest_beginning_with(std::string_view folded, const std::vector<std::string>& candidates) {
  std::string best;
  for (const auto& candidate : candidates) {
    if (fold(candidate).starts_with(folded) && (best.empty() || candidate.size() < best.size())) best = candidate;
  }
  return best;
}

constexpr std::size_t kLongestWord = 200;  // code points; a longer text is no slip of a name, and the cost is quadratic

}  // namespace

Result<std::string> fill(std::string_view pattern, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '{' && c != '}') {
      out += c;
    } else if (i + 1 < pattern.size() && pattern[i + 1] == c) {
      out += c;
      ++i;
    } else {
      const auto end = c == '{' ? pattern.find_first_of("{}", i + 1) : std::string_view::npos;
      if (end == std::string_view::npos || pattern[end] != '}') return unpaired(c, i);
      VALENCE_TRY(const auto value, value_of(pattern.substr(i + 1, end - i - 1), values));
      out += value;
      i = end;
    }
  }
  return out;
}

std::string trim(std::string_view text) {
  std::size_t first = text.size();
  std::size_t last = 0;
  for_each_code_point(text, [&](const CodePoint& point) {
    if (point.value >= 0 && u_isUWhiteSpace(point.value)) return;
    const auto at = static_cast<std::size_t>(point.bytes.data() - text.data());
    first = std::min(first, at);
    last = at + point.bytes.size();
  });
  return first < last ? std::string(text.substr(first, last - first)) : std::string();
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  if (separator.empty()) return {std::string(text)};
  for (;;) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  return from.empty() ? std::string(text) : join(split(text, from), to);
}

std::string fold(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* folder = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) std::abort();  // ICU carries this table in its library: a broken installation
  const icu::StringPiece piece(text.data(), static_cast<std::int32_t>(text.size()));
  std::string out;
  folder->normalize(icu::UnicodeString::fromUTF8(piece), status).toUTF8String(out);
  return out;
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for_each_code_point(text, [&](const CodePoint&) { ++count; });
  return count;
}

std::size_t display_width(std::string_view text) {
  const auto points = decode(text);
  std::size_t width = 0;
  UChar32 previous = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (const auto next = after_colour(points, i); next != i) {
      i = next - 1;
      continue;
    }
    const bool joined = previous == 0x200D;  // zero-width joiner
    const bool skin_tone = u_hasBinaryProperty(points[i], UCHAR_EMOJI_MODIFIER) &&
                           u_hasBinaryProperty(previous, UCHAR_EMOJI_MODIFIER_BASE);
    const bool widened = points[i] == 0xFE0F && columns_of(previous) == 1;  // emoji presentation
    width += joined || skin_tone ? 0 : widened ? 1 : columns_of(points[i]);
    previous = points[i];
  }
  return width;
}

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto point = code_point_at(text, at);
    if (point.value < 0) break;
    at += point.bytes.size();
  }
  return at;
}

bool is_valid_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

std::string printable(std::string_view text) {
  std::string out;
  for_each_code_point(text, [&](const CodePoint& point) {
    const bool kept = point.value == '\t' || point.value == '\n';
    if (point.value < 0) {
      out += kReplacement;
    } else if (kept || u_charType(point.value) != U_CONTROL_CHAR) {
      out += point.bytes;
    }
  });
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const auto folded = fold(word);
  const auto points = decode(folded);
  if (points.empty() || points.size() > kLongestWord) return {};
  std::size_t limit = std::min(std::max<std::size_t>(1, points.size() / 3), points.size() - 1);
  std::string best;
  for (const auto& candidate : candidates) {
    const auto other = decode(fold(candidate));
    if (other.size() > points.size() + limit) continue;
    const auto distance = edit_distance(points, other);
    if (distance < limit || (distance == limit && limit > 0 && best.empty())) {
      best = candidate;
      limit = distance;
    }
  }
  if (best.empty() && points.size() > 1) best = shortest_beginning_with(folded, candidates);
  return best;
}

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string with_thousands(unsigned long long number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  constexpr double kRounding = 1e-11;  // what sums of numbers around 1 leave over
  if (std::abs(value) < kRounding) return "0";
  const auto scientific = fmt::format("{:.{}e}", value, digits - 1);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);  // after rounding
  if (exponent < -4 || exponent >= 6) return scientific;
  return fmt::format("{:.{}f}", value, std::max(0, digits - 1 - exponent));
}

}  // namespace valence
