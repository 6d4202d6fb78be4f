// The head of a safetensors file: whatever the bytes, an error or tensors that lie inside.
#include <cstddef>
#include <cstdint>
#include <string>

#include "valence/model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = valence::SafeTensors::parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!file) return 0;
  for (const auto& [name, tensor] : file->tensors()) {
    if (tensor.begin > tensor.end || tensor.end > size) __builtin_trap();
  }
  return 0;
}
