#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// A tensor of a safetensors file: row-major, the last dimension fastest.
struct SafeTensor {
  std::string format;                ///< "F32", "F16", "BF16", "I64", …
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes of the content

  std::uint64_t elements() const;
};

/// A safetensors file in memory. Every offset lies inside, and every tensor of a format known here is as long as its
/// shape says. Source: the safetensors format, version 0.
class SafeTensors {
 public:
  /// kCorrupt with the file and what is wrong; kNotFound.
  static Result<SafeTensors> read(const std::filesystem::path& path);
  static Result<SafeTensors> parse(std::string content, std::string name);

  const std::map<std::string, SafeTensor>& tensors() const { return tensors_; }
  const std::string& name() const { return name_; }
  /// The numbers of an F32, F16 or BF16 tensor; kUnsupported for other formats.
  Result<std::vector<float>> floats(const std::string& tensor) const;

 private:
  std::string name_, content_;
  std::map<std::string, SafeTensor> tensors_;
};

/// A tensor to write, row-major.
struct SafeFloats {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
};

/// Writes F32 tensors; the file appears only whole. `texts`: the head's __metadata__. Fails as write_file does.
Result<void> write_safetensors(const std::filesystem::path& path, const std::vector<SafeFloats>& tensors,
                               const std::map<std::string, std::string>& texts = {{"format", "pt"}});

}  // namespace valence
