#pragma once

#include <torch/torch.h>

#include <vector>

namespace valence {

/// The numbers of a tensor, row after row.
inline std::vector<float> floats_of(const torch::Tensor& tensor) {
  const auto values = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const auto* first = values.data_ptr<float>();
  return {first, first + values.numel()};
}

/// The same as doubles.
inline std::vector<double> doubles_of(const torch::Tensor& tensor) {
  const auto values = tensor.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  const auto* first = values.data_ptr<double>();
  return {first, first + values.numel()};
}

}  // namespace valence
