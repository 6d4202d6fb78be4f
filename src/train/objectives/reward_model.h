#pragma once

#include <torch/torch.h>

namespace valence::train {

struct RewardModelOptions {
  /// Weight of (r_w + r_l)², of a ranking (2 · mean)², which is the same for two: keeps rewards around 0. 0 = none.
  double centring = 0.0;
};

/// Bradley–Terry: −log σ(r_w − r_l − m), per pair. `margin`: [pairs] or undefined (0).
torch::Tensor bradley_terry_loss(const torch::Tensor& chosen, const torch::Tensor& rejected,
                                 const torch::Tensor& margin = {}, const RewardModelOptions& options = {});

/// Plackett–Luce over K answers: −Σ_i (r_i − log Σ_j e^{r_j}), j being i itself and the answers that are worse than it,
/// per ranking. Answers that are equally good do not compete with each other: every term is the probability that an
/// answer is taken before all that are worse, and without ties they are the factors of the ranking's own. `rewards`:
/// [rankings, K]; `scores`: how good, [rankings, K]; undefined: best first, no two equally good.
torch::Tensor plackett_luce_loss(const torch::Tensor& rewards, const torch::Tensor& scores = {},
                                 const RewardModelOptions& options = {});

}  // namespace valence::train
