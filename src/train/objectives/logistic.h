#pragma once

#include <torch/torch.h>

namespace valence::train {

/// log(1 − eˣ) for x < 0, by the branch that loses no digits (Mächler 2012).
inline torch::Tensor log1m_exp(const torch::Tensor& x) {
  constexpr double kLn2 = 0.6931471805599453;
  const auto near_zero = x > -kLn2;
  // Each branch gets arguments that are harmless to it, or its unused gradient would be NaN.
  const auto close = torch::log(-torch::expm1(torch::where(near_zero, x, torch::full_like(x, -kLn2))));
  const auto far = torch::log1p(-torch::exp(torch::where(near_zero, torch::full_like(x, -kLn2), x)));
  return torch::where(near_zero, close, far);
}

}  // namespace valence::train
