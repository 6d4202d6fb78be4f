#pragma once

#include <torch/torch.h>

namespace valence::train {

struct RewardModelOptions {
  double centring = 0.0;  ///< weight of (r_w + r_l)², which keeps rewards around 0; 0 = none
};

/// Bradley–Terry: −log σ(r_w − r_l − m), per pair. `margin`: [pairs] or undefined (0).
torch::Tensor bradley_terry_loss(const torch::Tensor& chosen, const torch::Tensor& rejected,
                                 const torch::Tensor& margin = {}, const RewardModelOptions& options = {});

/// Plackett–Luce over K answers: −Σ_k (r_k − log Σ_{j ≥ k} e^{r_j}), per ranking. `rewards`: [rankings, K], best first.
torch::Tensor plackett_luce_loss(const torch::Tensor& rewards);

}  // namespace valence::train
