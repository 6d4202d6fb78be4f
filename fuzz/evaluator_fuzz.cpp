// Evaluator files and labelled responses, as others give them. A foreign file rarely has a fitting checksum, so the
// bytes are also sealed and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "valence/base/digest.h"
#include "valence/evaluate/evaluator_file.h"

namespace {

std::string sealed(std::string_view bytes) {
  const auto digest = valence::sha256(bytes);
  return std::string(bytes).append(reinterpret_cast<const char*>(digest.bytes.data()), 8);
}

/// Families that need no files.
const valence::FeatureFamilies& families() {
  static const valence::FeatureFamilies none = {valence::embedding_family(
      {"x", "", "x", 1, [](std::span<const valence::PromptedText> texts) -> valence::Result<std::vector<float>> {
         return std::vector<float>(texts.size(), 1.0F);
       }})};
  return none;
}

void read_evaluator(std::string_view bytes) {
  const auto evaluator = valence::decode_evaluator(bytes, "fuzz", families());
  if (!evaluator) return evaluator.error().message.empty() ? __builtin_trap() : void();
  const valence::PromptedText text{"a", "b"};
  if (const auto values = evaluator->evaluate({&text, 1}); !values && values.error().message.empty()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_evaluator(text);
  read_evaluator(sealed(text));
  const valence::DimensionNames names{"toy", {"order"}, {{"order", 0}}};
  if (const auto rows = valence::parse_labelled(text, "fuzz.jsonl", names); !rows && rows.error().message.empty())
    __builtin_trap();
  return 0;
}
