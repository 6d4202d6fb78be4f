// The numbers of a safetensors file; apart from its parser, which needs no engine.
#include <bit>
#include <cstring>

#include "ggml.h"
#include "valence/model/safetensors.h"

namespace valence {

Result<std::vector<float>> SafeTensors::floats(const std::string& key) const {
  const auto& tensor = tensors_.at(key);
  const auto elements = tensor.elements();
  const char* bytes = content_.data() + tensor.begin;
  std::vector<float> values(elements);
  if (tensor.format == "F32") {
    std::memcpy(values.data(), bytes, elements * sizeof(float));
    return values;
  }
  std::vector<std::uint16_t> halves(elements);
  if (tensor.format == "F16" || tensor.format == "BF16") std::memcpy(halves.data(), bytes, elements * sizeof(std::uint16_t));
  if (tensor.format == "F16") {
    ggml_fp16_to_fp32_row(halves.data(), values.data(), static_cast<std::int64_t>(elements));
  } else if (tensor.format == "BF16") {
    for (std::size_t i = 0; i < elements; ++i) values[i] = std::bit_cast<float>(std::uint32_t{halves[i]} << 16U);
  } else {
    return fail(ErrorCode::kUnsupported, "{}: \"{}\" is in the format {}; F32, F16 and BF16 can be converted", name_, key, tensor.format);
  }
  return values;
}

}  // namespace valence
