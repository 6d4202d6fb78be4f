#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace valence::train::testing {

using Function = std::function<torch::Tensor(const std::vector<torch::Tensor>&)>;

inline torch::Tensor numbers(const std::vector<double>& values, bool gradient = false) {
  return torch::tensor(values, torch::dtype(torch::kDouble)).requires_grad_(gradient);
}

inline double value(const torch::Tensor& tensor) { return tensor.item<double>(); }

/// Largest difference between the gradient that autograd gives and central differences, relative to 1 or the gradient.
inline double gradient_error(const Function& function, std::vector<torch::Tensor> inputs, double step = 1e-6) {
  for (auto& input : inputs) input = input.detach().clone().requires_grad_(true);
  function(inputs).sum().backward();
  double worst = 0.0;
  const torch::NoGradGuard no_gradient;
  for (auto& input : inputs) {
    const auto gradient = input.grad().defined() ? input.grad().flatten() : torch::zeros_like(input).flatten();
    auto flat = input.view({-1});
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const double at = flat[i].item<double>();
      const auto value_at = [&](double x) {
        flat[i] = x;
        return function(inputs).sum().item<double>();
      };
      const double numeric = (value_at(at + step) - value_at(at - step)) / (2 * step);
      flat[i] = at;
      const double exact = gradient[i].item<double>();
      worst = std::max(worst, std::abs(numeric - exact) / std::max(1.0, std::abs(exact)));
    }
  }
  return worst;
}

/// Values drawn by torch's own generator from a fixed seed: the point is only that they are ordinary.
inline torch::Tensor ordinary(std::vector<std::int64_t> shape, std::uint64_t seed) {
  torch::manual_seed(seed);
  return torch::randn(shape, torch::kDouble);
}

}  // namespace valence::train::testing
