#include "valence/model/tensors.h"

#include <algorithm>
#include <cstring>

#include "ggml.h"

namespace valence {
namespace {

/// F32 has no dequantiser of its own.
bool has_numbers(std::uint32_t type) {
  return type == GGML_TYPE_F32 || ggml_get_type_traits(static_cast<ggml_type>(type))->to_float != nullptr;
}

void to_floats(std::span<const char> bytes, std::uint32_t type, std::span<float> into) {
  if (type == GGML_TYPE_F32) {
    std::memcpy(into.data(), bytes.data(), into.size_bytes());
  } else {
    ggml_get_type_traits(static_cast<ggml_type>(type))
        ->to_float(bytes.data(), into.data(), static_cast<std::int64_t>(into.size()));
  }
}

}  // namespace

TensorReader::TensorReader(std::filesystem::path path, GgufInfo info)
    : path_(std::move(path)), info_(std::move(info)), file_(path_, std::ios::binary) {}

Result<TensorReader> TensorReader::open(const std::filesystem::path& path) {
  VALENCE_TRY(auto info, read_gguf_header(path));
  return TensorReader(path, std::move(info));
}

const GgufTensor* TensorReader::find(std::string_view name) const {
  const auto found = std::ranges::find(info_.tensors, name, &GgufTensor::name);
  return found == info_.tensors.end() ? nullptr : &*found;
}

Result<void> TensorReader::read(const GgufTensor& tensor, std::span<float> into) {
  if (!has_numbers(tensor.type)) {
    return fail(ErrorCode::kUnsupported, "{}: tensor \"{}\" is {}, which holds no weights", path_.string(), tensor.name,
                ggml_type_name(static_cast<ggml_type>(tensor.type)));
  }
  std::vector<char> bytes(tensor.bytes);
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(tensor.offset));
  if (!file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return fail(ErrorCode::kIo, "{}: tensor \"{}\" could not be read: {} bytes at {}", path_.string(), tensor.name,
                tensor.bytes, tensor.offset);
  }
  to_floats(bytes, tensor.type, into);
  return {};
}

Result<std::vector<float>> TensorReader::read(const GgufTensor& tensor) {
  std::vector<float> values(tensor.elements());
  VALENCE_CHECK(read(tensor, values));
  return values;
}

}  // namespace valence
