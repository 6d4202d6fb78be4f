#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/gguf.h"

namespace valence {

/// A tensor to write in F32: dims[0] is the row length.
struct GgufFloats {
  std::string name;
  std::vector<std::uint64_t> dims;
  std::vector<float> values;
};

/// Strings for the head of a file, written after what it must say: ("general.name", "…").
using GgufTexts = std::vector<std::pair<std::string, std::string>>;

/// A LoRA adapter as llama.cpp loads it: tensors "T.lora_a" [inputs, rank] and "T.lora_b" [rank, outputs] for a tensor
/// T of a model of that architecture. The file appears only whole. kDiskFull or kIo when it cannot be written.
Result<void> write_adapter_gguf(const std::filesystem::path& path, const std::string& architecture, double alpha,
                                const GgufTexts& texts, std::span<const GgufFloats> tensors);

/// New values of a tensor of the source, or nothing to keep the old ones.
using ReplacedTensor = std::function<Result<std::optional<std::vector<float>>>(const GgufTensor&)>;

/// A copy of a model in which every tensor is F32 and some have new values; all metadata is the source's. One tensor at
/// a time is in memory. The file appears only whole. kMismatch if the new values of a tensor are not as many as the
/// old.
Result<void> write_model_gguf(const std::filesystem::path& source, const std::filesystem::path& path,
                              const GgufTexts& texts, const ReplacedTensor& replaced);

/// Converts a model with llama.cpp's quantiser: f32, f16, bf16, q8_0, q6_k, q5_k_m, q4_k_m, q4_1, q4_0. The file
/// appears only whole.
Result<void> convert_format(const std::filesystem::path& source, const std::filesystem::path& target,
                            const std::string& format);
/// The formats of `convert_format`.
std::span<const std::string_view> file_formats();

}  // namespace valence
