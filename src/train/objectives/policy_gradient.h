#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace valence::train {

// Losses of sampled answers. Tensors are flat over the answers' tokens, [tokens], without padding; `answer` holds the
// index (int64) of the answer that each token belongs to. Advantages, old and reference log-probabilities carry no
// gradient.

/// How far an update may go, and what it costs.
struct ClipOptions {
  double low = 0.2;   ///< ε below: ratios under 1 − low gain nothing
  double high = 0.2;  ///< ε above
};

/// Whose ratio is clipped: each token's own, the geometric mean of the answer's (GSPO; Zheng et al. 2025), or the whole
/// answer's product (RLOO as published in sequence form).
enum class RatioLevel { kToken, kSequenceMean, kSequence };

/// −min(ρA, clip(ρ, 1−ε, 1+ε)A), per token (of a sequence-level ratio: the same for all tokens of an answer). Where
/// A < 0 nothing clips ρ above: from e^16 on it goes on along its tangent, so that value and gradient are finite for
/// whatever log-ratio.
struct PolicyLoss {
  torch::Tensor per_token;
  torch::Tensor ratio;          ///< detached
  torch::Tensor clip_fraction;  ///< share of tokens whose gradient is cut; detached
};
PolicyLoss clipped_policy_loss(const torch::Tensor& logprobs, const torch::Tensor& old_logprobs,
                               const torch::Tensor& advantages, const torch::Tensor& answer, std::int64_t answers,
                               RatioLevel level, const ClipOptions& clip);

/// How token losses of a group become one number.
enum class Reduction {
  kAnswerMean,  ///< mean over answers of the mean over their tokens (GRPO as published)
  kTokenMean,   ///< mean over all tokens (BNPO, DAPO)
  kConstant     ///< Σ tokens / (answers · longest allowed answer) (Dr. GRPO)
};
torch::Tensor reduce(const torch::Tensor& per_token, const torch::Tensor& answer, std::int64_t answers,
                     Reduction reduction, std::int64_t longest);

/// k3 = e^{−k} − 1 + k with k = log π − log π_ref: an estimate of KL(π‖π_ref), ≥ 0, per token (Schulman 2020).
torch::Tensor kl_k3(const torch::Tensor& logprobs, const torch::Tensor& reference_logprobs);

/// ½ mean max((V − R)², (clip(V, V_old ± ε) − R)²). `clip` ≤ 0: no clipping.
torch::Tensor value_loss(const torch::Tensor& values, const torch::Tensor& old_values, const torch::Tensor& returns,
                         double clip);

/// REINFORCE with baseline: −mean A log π.
torch::Tensor reinforce_loss(const torch::Tensor& logprobs, const torch::Tensor& advantages);

/// min(e^{trainer − sampler}, cap) per token, detached: what corrects for answers drawn by another engine (truncated
/// importance sampling).
torch::Tensor truncated_importance(const torch::Tensor& logprobs, const torch::Tensor& sampler_logprobs, double cap);

}  // namespace valence::train
