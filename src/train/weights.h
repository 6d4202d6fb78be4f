#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "adapter_sum.h"
#include "valence/base/result.h"
#include "valence/model/tensors.h"

namespace valence {

/// Tensors of a GGUF file in torch, float32, on one device, adapters added to them; remembers which were taken.
class WeightReader {
 public:
  /// Errors of TensorReader::open and AdapterSum::open.
  static Result<WeightReader> open(const std::filesystem::path& path, torch::Device device,
                                   std::span<const AdapterSpec> adapters = {});

  const GgufInfo& info() const { return reader_.info(); }
  bool has(const std::string& name) const { return reader_.find(name) != nullptr; }
  /// A torch tensor of these sizes: [outputs, inputs] for a matrix. kUnsupported if there is none of that name, since
  /// the file is then laid out in a way that the trainer does not know; kMismatch for other sizes.
  Result<torch::Tensor> take(const std::string& name, const std::vector<std::int64_t>& sizes);
  /// Undefined if there is none of that name.
  Result<torch::Tensor> take_optional(const std::string& name, const std::vector<std::int64_t>& sizes);
  /// kUnsupported or kMismatch, naming a tensor that was not taken or a matrix of an adapter that was not there:
  /// leaving it out would train another model than was measured.
  Result<void> check_all_taken() const;

 private:
  WeightReader(TensorReader reader, AdapterSum adapters, torch::Device device)
      : reader_(std::move(reader)), adapters_(std::move(adapters)), device_(device) {}

  TensorReader reader_;
  AdapterSum adapters_;
  torch::Device device_;
  std::set<std::string> taken_;
};

}  // namespace valence
