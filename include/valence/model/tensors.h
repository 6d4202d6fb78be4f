#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/gguf.h"

namespace valence {

/// Reads the tensors of a GGUF file as numbers, through ggml's own dequantisers.
class TensorReader {
 public:
  /// Whatever read_gguf_header says.
  static Result<TensorReader> open(const std::filesystem::path& path);

  const GgufInfo& info() const { return info_; }
  const std::filesystem::path& path() const { return path_; }
  /// Null if there is none of that name.
  const GgufTensor* find(std::string_view name) const;

  /// Row after row, dims[0] fastest. `into` holds tensor.elements() numbers. kUnsupported for formats that are no
  /// numbers of a network (I32, …), kIo for a failed read.
  Result<void> read(const GgufTensor& tensor, std::span<float> into);
  Result<std::vector<float>> read(const GgufTensor& tensor);

 private:
  TensorReader(std::filesystem::path path, GgufInfo info);

  std::filesystem::path path_;
  GgufInfo info_;
  std::ifstream file_;
};

}  // namespace valence
