// The GGUF validator: llama.cpp is given only what passed here.
#include <cstddef>
#include <cstdint>
#include <span>

#include "valence/model/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto info = valence::parse_gguf_header(bytes, size, "fuzz.gguf");
  if (!info) return info.error().message.empty() ? __builtin_trap(), 0 : 0;  // a refusal says why
  static_cast<void>(info->parameters() + info->context_length() + info->vocabulary() + info->data_bytes());
  static_cast<void>(info->file_type());
  return 0;
}
