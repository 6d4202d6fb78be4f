// JSONL as users give it: any lines, and answers as `valence export` writes them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "valence/base/node.h"
#include "valence/store/export.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto lines = valence::parse_jsonl(text, "fuzz.jsonl"); !lines && lines.error().message.empty()) __builtin_trap();
  const auto table = valence::parse_answers_jsonl(text, "fuzz.jsonl");
  if (!table) return table.error().message.empty() ? __builtin_trap(), 0 : 0;
  // What was read is written again and reads the same.
  const auto written = valence::answers_jsonl(*table);
  const auto again = valence::parse_answers_jsonl(written, "again.jsonl");
  if (!again || valence::answers_jsonl(*again) != written) __builtin_trap();
  return 0;
}
