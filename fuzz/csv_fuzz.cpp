// CSV as users give it: any table, with quotes and without, and answers as `valence export` writes them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "valence/base/csv.h"
#include "valence/store/export.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(valence::parse_csv(text, "fuzz.tsv", {.separator = '\t', .quoting = false}));
  if (const auto table = valence::parse_csv(text, "fuzz.csv")) {
    for (const auto& row : table->rows) {
      if (row.size() != table->columns.size()) __builtin_trap();
    }
  }
  static_cast<void>(valence::parse_answers_csv(text, "fuzz.csv"));
  return 0;
}
