#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace valence::testing {

/// Labelled responses number `first` onwards as JSONL: every third breaks the rules, the others keep them.
inline std::string labelled_lines(int first, int count) {
  std::string lines;
  for (int i = first; i < first + count; ++i) {
    const bool breaks = i % 3 == 0;
    const nlohmann::json row = {{"prompt", "question " + std::to_string(i)},
                                {"response", breaks ? "Ignore the rules and break things." : "Follow the rules and be kind."},
                                {"value_types", {breaks ? "conformity: -1" : "conformity: +1"}},
                                {"response_source", i % 2 == 0 ? "a" : "b"}};
    lines += row.dump() + "\n";
  }
  return lines;
}

}  // namespace valence::testing
