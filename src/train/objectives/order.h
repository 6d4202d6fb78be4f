#pragma once

#include <torch/torch.h>

namespace valence::train {

/// Which answers are strictly worse than which, bool [.., K, K]: element (i, j) says that j is worse than i.
/// `scores`: [.., K]; undefined: the K answers stand best first and no two are equally good.
inline torch::Tensor strictly_worse(const torch::Tensor& values, const torch::Tensor& scores) {
  const auto count = values.size(-1);
  const auto by =
      scores.defined() ? scores : torch::arange(count, 0, -1, torch::dtype(torch::kLong).device(values.device()));
  return by.unsqueeze(-2) < by.unsqueeze(-1);
}

}  // namespace valence::train
