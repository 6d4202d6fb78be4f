#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// Replaces each `{name}` of a template in one pass: what is put in is never looked into again, so text from people
/// stays text. `{{` and `}}` are braces. Fails with kUsage on a name that `values` lacks or on an unpaired brace.
Result<std::string> fill(std::string_view pattern,
                         const std::vector<std::pair<std::string, std::string>>& values);

/// Copy without white space at both ends (Unicode White_Space).
std::string trim(std::string_view text);
std::vector<std::string> split(std::string_view text, std::string_view separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

/// Unicode NFKC_Casefold: compatibility forms unified, full case folding (locale-free), characters without appearance
/// (soft hyphen, joiners) dropped. For comparing texts; applying it twice changes nothing.
std::string fold(std::string_view text);
/// Number of code points, the unit of the per-character normalisation.
std::size_t code_points(std::string_view text);
/// Columns that the text takes in a terminal (East Asian width, combining marks); colour sequences take none.
std::size_t display_width(std::string_view text);
bool is_valid_utf8(std::string_view text);
/// Number of bytes before the first that is not UTF-8.
std::size_t valid_utf8_prefix(std::string_view text);
/// The text with invalid UTF-8 replaced by U+FFFD and control characters (but tab and line feed) removed: for showing
/// what a model said on a terminal.
std::string printable(std::string_view text);

/// The candidate nearest to `word` when it is near enough to be a slip (at most max(1, length/3) edits or swapped
/// neighbours), else the shortest one that begins with `word`, else empty. Case does not count.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

std::string html_escape(std::string_view text);
/// 1234567 as "1,234,567".
std::string with_thousands(unsigned long long number);
/// A number with three significant digits, without exponent between 1e-4 and 1e6 (where its whole part is never
/// rounded away: 12345.6 is "12346"); "–" for NaN.
std::string significant(double value, int digits = 3);

}  // namespace valence
