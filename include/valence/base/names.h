#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/base/text.h"

namespace valence {

/// The words for an enumeration's values, in the order in which people are told them.
template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

/// Empty for a value that has no word.
template <class Enum, std::size_t N>
std::string_view name_of(const Names<Enum, N>& names, Enum value) {
  const auto found = std::ranges::find(names, value, &std::pair<Enum, std::string_view>::first);
  return found == names.end() ? std::string_view() : found->second;
}

/// kUsage, telling all words, for one that is none of them. `what`: what it is a word for.
template <class Enum, std::size_t N>
Result<Enum> value_of(const Names<Enum, N>& names, std::string_view what, std::string_view text) {
  std::vector<std::string> known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known.emplace_back(name);
  }
  return fail(ErrorCode::kUsage, "unknown {} \"{}\"; it should be one of {}", what, text, join(known, ", "));
}

}  // namespace valence
