#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/tensors.h"

namespace valence {

/// Tensors of a GGUF file in torch, float32, on one device; remembers which were taken.
class WeightReader {
 public:
  static Result<WeightReader> open(const std::filesystem::path& path, torch::Device device);

  const GgufInfo& info() const { return reader_.info(); }
  bool has(const std::string& name) const { return reader_.find(name) != nullptr; }
  /// A torch tensor of these sizes: [outputs, inputs] for a matrix. kUnsupported if there is none of that name, since
  /// the file is then laid out in a way that the trainer does not know; kMismatch for other sizes.
  Result<torch::Tensor> take(const std::string& name, const std::vector<std::int64_t>& sizes);
  /// Undefined if there is none of that name.
  Result<torch::Tensor> take_optional(const std::string& name, const std::vector<std::int64_t>& sizes);
  /// kUnsupported, naming a tensor that was not taken: leaving it out would train another model than was measured.
  Result<void> check_all_taken() const;

 private:
  WeightReader(TensorReader reader, torch::Device device) : reader_(std::move(reader)), device_(device) {}

  TensorReader reader_;
  torch::Device device_;
  std::set<std::string> taken_;
};

}  // namespace valence
