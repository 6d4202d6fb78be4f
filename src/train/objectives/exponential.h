#pragma once

#include <torch/torch.h>

#include <cmath>

namespace valence::train {

/// From here on exponentials go on along their tangent. In f32 e^89 is infinite, and answers of a hundred tokens may
/// well be e^200 times less likely than they were; up to here squared losses and the norm of their gradients are finite
/// too.
constexpr double kStraight = 16.0;

/// What the tangent adds to e^x, or to e^x − 1, of min(x, kStraight).
inline torch::Tensor along_the_tangent(const torch::Tensor& x) {
  return std::exp(kStraight) * torch::relu(x - kStraight);
}

/// e^x, above kStraight along its tangent there: finite, as its gradient is, for whatever x.
inline torch::Tensor straightened_exp(const torch::Tensor& x) {
  return torch::exp(x.clamp_max(kStraight)) + along_the_tangent(x);
}

}  // namespace valence::train
