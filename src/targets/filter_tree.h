#pragma once

#include <string>
#include <variant>
#include <vector>

#include "valence/targets/filter.h"

namespace valence {

enum class Comparison { kEqual, kUnequal, kBelow, kAtMost, kAbove, kAtLeast };

/// A number or a text, as written.
using FilterValue = std::variant<double, std::string>;

/// One node of a parsed filter.
struct FilterNode {
  enum class Kind { kAnd, kOr, kNot, kCompare, kIn };
  Kind kind = Kind::kCompare;
  std::vector<FilterNode> children;  // kAnd, kOr: two; kNot: one
  std::string column;                // kCompare, kIn
  Comparison comparison = Comparison::kEqual;
  std::vector<FilterValue> values;  // kCompare: one
};

/// The tree of a text that is not empty. Errors as Filter::parse.
Result<FilterNode> parse_filter(std::string_view text);

}  // namespace valence
