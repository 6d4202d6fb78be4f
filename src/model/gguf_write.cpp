#include "valence/model/gguf_write.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "ggml.h"
#include "gguf.h"
#include "valence/base/files.h"
#include "valence/model/tensors.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

using GgufFile = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
using GgmlTensors = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

GgufFile empty_file() { return {gguf_init_empty(), &gguf_free}; }

/// Room for the heads of `count` tensors, without their content.
GgmlTensors tensor_heads(std::size_t count) {
  return {ggml_init({(count + 1) * ggml_tensor_overhead(), nullptr, /*no_alloc=*/true}), &ggml_free};
}

void add_head(gguf_context* file, ggml_context* tensors, const std::string& name, std::span<const std::uint64_t> dims) {
  const std::vector<std::int64_t> lengths(dims.begin(), dims.end());
  auto* made = ggml_new_tensor(tensors, GGML_TYPE_F32, static_cast<int>(lengths.size()), lengths.data());
  ggml_set_name(made, name.c_str());
  gguf_add_tensor(file, made);
}

void set_texts(gguf_context* file, const GgufTexts& texts) {
  for (const auto& [key, value] : texts) {
    if (!value.empty()) gguf_set_val_str(file, key.c_str(), value.c_str());
  }
}

std::string head_of(const gguf_context* file) {
  std::string bytes(gguf_get_meta_size(file), '\0');
  gguf_get_meta_data(file, bytes.data());
  return bytes;
}

std::size_t padding(std::size_t size, std::size_t alignment) { return (alignment - size % alignment) % alignment; }

void append(std::string& bytes, std::span<const float> values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  bytes.resize(bytes.size() + padding(values.size_bytes(), GGUF_DEFAULT_ALIGNMENT));
}

/// A file under a temporary name, removed unless it is kept.
class PartFile {
 public:
  explicit PartFile(const fs::path& target) : target_(target), part_(target) {
    part_ += ".part";
    std::error_code ignored;  // the opening says what is wrong
    if (target.has_parent_path()) fs::create_directories(target.parent_path(), ignored);
    stream_.open(part_, std::ios::binary | std::ios::trunc);
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() {
    std::error_code ignored;
    if (!kept_) fs::remove(part_, ignored);
  }

  void write(std::span<const char> bytes) { stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); }
  Result<void> keep() {
    stream_.close();
    if (!stream_) {
      return fail(errno == ENOSPC ? ErrorCode::kDiskFull : ErrorCode::kIo, "{} could not be written: {}",
                  target_.string(), std::strerror(errno));
    }
    std::error_code error;
    fs::rename(part_, target_, error);
    if (error) return fail(ErrorCode::kIo, "{}: {}", target_.string(), error.message());
    kept_ = true;
    return {};
  }

 private:
  fs::path target_, part_;
  std::ofstream stream_;
  bool kept_ = false;
};

GgufFile file_like(const fs::path& source) {
  return {gguf_init_from_file(source.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}), &gguf_free};
}

Result<std::vector<float>> values_of(TensorReader& reader, const GgufTensor& tensor, const ReplacedTensor& replaced) {
  VALENCE_TRY(auto given, replaced(tensor));
  if (!given) return reader.read(tensor);
  if (given->size() != tensor.elements()) {
    return fail(ErrorCode::kMismatch, "{}: tensor \"{}\" has {} elements, its new values are {}",
                reader.path().string(), tensor.name, tensor.elements(), given->size());
  }
  return *std::move(given);
}

}  // namespace

Result<void> write_adapter_gguf(const fs::path& path, const std::string& architecture, double alpha,
                                const GgufTexts& texts, std::span<const GgufFloats> tensors) {
  const auto file = empty_file();
  const auto heads = tensor_heads(tensors.size());
  gguf_set_val_str(file.get(), "general.type", "adapter");
  gguf_set_val_str(file.get(), "general.architecture", architecture.c_str());
  gguf_set_val_str(file.get(), "adapter.type", "lora");
  gguf_set_val_f32(file.get(), "adapter.lora.alpha", static_cast<float>(alpha));
  set_texts(file.get(), texts);
  for (const auto& tensor : tensors) add_head(file.get(), heads.get(), tensor.name, tensor.dims);
  auto bytes = head_of(file.get());
  for (const auto& tensor : tensors) append(bytes, tensor.values);
  VALENCE_CHECK(parse_gguf_header(std::as_bytes(std::span(bytes)), bytes.size(), path.string()));
  return write_file(path, bytes);
}

Result<void> write_model_gguf(const fs::path& source, const fs::path& path, const GgufTexts& texts,
                              const ReplacedTensor& replaced) {
  VALENCE_TRY(auto reader, TensorReader::open(source));
  const auto like = file_like(source);
  if (!like) return fail(ErrorCode::kCorrupt, "{}: llama.cpp could not read its head", source.string());
  const auto file = empty_file();
  const auto heads = tensor_heads(reader.info().tensors.size());
  gguf_set_kv(file.get(), like.get());
  gguf_set_val_u32(file.get(), "general.alignment", GGUF_DEFAULT_ALIGNMENT);
  gguf_set_val_u32(file.get(), "general.file_type", 0);  // all F32
  set_texts(file.get(), texts);
  for (const auto& tensor : reader.info().tensors) add_head(file.get(), heads.get(), tensor.name, tensor.dims);
  PartFile out(path);
  out.write(head_of(file.get()));
  for (const auto& tensor : reader.info().tensors) {
    VALENCE_TRY(const auto values, values_of(reader, tensor, replaced));
    std::string bytes;
    append(bytes, values);
    out.write(bytes);
  }
  return out.keep();
}

}  // namespace valence
