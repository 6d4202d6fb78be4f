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

/// Numbers as a tensor of another's type, on its device; no gradient.
inline torch::Tensor tensor_like(const std::vector<double>& values, const torch::Tensor& like) {
  return torch::tensor(values, torch::kDouble).to(like.options().requires_grad(false));
}

}  // namespace valence
