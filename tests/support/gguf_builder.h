#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace valence::testing {

/// Writes GGUF files by hand, also wrong ones: nothing is checked here.
class GgufBuilder {
 public:
  enum Type : std::uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };

  std::uint32_t magic = 0x46554747;  // "GGUF"
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;
  std::uint64_t more_tensors = 0;    ///< added to the count in the head, for lies
  std::uint64_t more_pairs = 0;

  GgufBuilder& u32(std::string_view key, std::uint32_t value) { return scalar(key, kU32, value); }
  GgufBuilder& i32(std::string_view key, std::int32_t value) { return scalar(key, kI32, value); }
  GgufBuilder& f32(std::string_view key, float value) { return scalar(key, kF32, value); }
  GgufBuilder& boolean(std::string_view key, std::uint8_t value) { return scalar(key, kBool, value); }
  template <class T>
  GgufBuilder& scalar(std::string_view key, std::uint32_t type, T value) {
    begin_pair(key, type);
    append(pairs_, value);
    return *this;
  }
  GgufBuilder& text(std::string_view key, std::string_view value) {
    begin_pair(key, kString);
    append_text(pairs_, value);
    return *this;
  }
  GgufBuilder& texts(std::string_view key, const std::vector<std::string>& values) {
    begin_array(key, kString, values.size());
    for (const auto& value : values) append_text(pairs_, value);
    return *this;
  }
  template <class T>
  GgufBuilder& numbers(std::string_view key, std::uint32_t element, const std::vector<T>& values) {
    begin_array(key, element, values.size());
    for (const auto value : values) append(pairs_, value);
    return *this;
  }
  /// A pair whose value is the given bytes.
  GgufBuilder& raw(std::string_view key, std::uint32_t type, std::string_view bytes) {
    begin_pair(key, type);
    pairs_ += bytes;
    return *this;
  }

  /// A tensor with its content, placed after the one before it.
  GgufBuilder& tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t format,
                      std::string_view content) {
    data_.resize(padded(data_.size()));
    tensor_info(name, dims, format, data_.size());
    data_ += content;
    return *this;
  }
  GgufBuilder& f32_tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::span<const float> values) {
    return tensor(name, dims, 0, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  /// Only the entry in the head.
  GgufBuilder& tensor_info(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t format,
                           std::uint64_t offset) {
    ++tensor_count_;
    append_text(infos_, name);
    append(infos_, static_cast<std::uint32_t>(dims.size()));
    for (const auto length : dims) append(infos_, length);
    append(infos_, format);
    append(infos_, offset);
    return *this;
  }

  std::string head() const {
    std::string bytes;
    append(bytes, magic);
    append(bytes, version);
    append(bytes, tensor_count_ + more_tensors);
    append(bytes, pair_count_ + more_pairs);
    return bytes + pairs_ + infos_;
  }
  std::string bytes() const {
    auto bytes = head();
    bytes.resize(padded(bytes.size()));
    return bytes + data_;
  }
  void write(const std::filesystem::path& path) const {
    const auto content = bytes();
    std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
  }

  template <class T>
  static void append(std::string& bytes, T value) {
    std::array<char, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    bytes.append(raw.data(), raw.size());
  }
  static void append_text(std::string& bytes, std::string_view text) {
    append(bytes, static_cast<std::uint64_t>(text.size()));
    bytes += text;
  }

 private:
  void begin_pair(std::string_view key, std::uint32_t type) {
    ++pair_count_;
    append_text(pairs_, key);
    append(pairs_, type);
  }
  void begin_array(std::string_view key, std::uint32_t element, std::uint64_t count) {
    begin_pair(key, kArray);
    append(pairs_, element);
    append(pairs_, count);
  }
  std::size_t padded(std::size_t size) const {
    return static_cast<std::size_t>((size + alignment - 1) / alignment * alignment);
  }

  std::uint64_t tensor_count_ = 0;
  std::uint64_t pair_count_ = 0;
  std::string pairs_, infos_, data_;
};

/// A small sound file: four tokens, one block, two tensors. Not a model that computes.
inline GgufBuilder small_gguf() {
  GgufBuilder builder;
  builder.text("general.architecture", "llama").text("general.license", "CC0-1.0").u32("llama.block_count", 1);
  builder.u32("llama.context_length", 128).text("tokenizer.chat_template", "{{ messages }}");
  builder.texts("tokenizer.ggml.tokens", {"<s>", "a", "b", ""});
  builder.numbers<float>("tokenizer.ggml.scores", GgufBuilder::kF32, {0, -1, -2, -3});
  builder.numbers<std::int32_t>("tokenizer.ggml.token_type", GgufBuilder::kI32, {3, 1, 1, 1});
  const std::array<float, 32> values{};
  builder.f32_tensor("token_embd.weight", {8, 4}, values);
  builder.tensor("blk.0.attn_q.weight", {32, 2}, 8, std::string(2 * 34, '\1'));  // q8_0: 34 bytes per 32
  return builder;
}

}  // namespace valence::testing
