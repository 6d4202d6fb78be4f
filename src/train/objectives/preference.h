#pragma once

#include <torch/torch.h>

namespace valence::train {

// Losses on pairs of answers, per pair. Notation: ℓ = Σ_t log π(y_t | x, y_<t); Δ = ℓ − ℓ of the reference, both sums
// over the answer's tokens in nats; w chosen, l rejected; |y| tokens. Tensors are [pairs].
// Source: specs of the alignment survey (arXiv 2507.19672) and the papers named at each function.

struct Pair {
  torch::Tensor chosen, rejected;
};

/// Which divergence to the reference regularises (Wang et al. 2023): Δ becomes f'(e^Δ) up to a constant.
enum class Divergence { kReverseKl, kForwardKl, kJensenShannon, kAlpha };

/// What is made of the margin z = β(f'_w − f'_l).
enum class PairLoss {
  kSigmoid,  ///< −(1−ε) log σ(z) − ε log σ(−z); ε = 0 is DPO (Rafailov et al. 2023), ε > 0 cDPO
  kRobust,   ///< [−(1−ε) log σ(z) + ε log σ(−z)] / (1 − 2ε) (Chowdhury et al. 2024)
  kHinge,    ///< max(0, 1 − z)
  kIpo       ///< (z/β − 1/(2β))² (Azar et al. 2023)
};

struct DpoOptions {
  PairLoss loss = PairLoss::kSigmoid;
  double beta = 0.1;       ///< > 0
  double smoothing = 0.0;  ///< ε, share of labels taken to be wrong, in [0, 0.5)
  Divergence divergence = Divergence::kReverseKl;
  double alpha = 1.0;  ///< of kAlpha, > 0
};

/// f'(e^Δ) without its constant: Δ for reverse KL. Where it would be e to more than 16 it goes on along the tangent, so
/// that value and gradient are finite for whatever Δ.
torch::Tensor divergence_score(const torch::Tensor& log_ratio, Divergence divergence, double alpha);

/// The DPO family on log-ratios to a frozen reference. For the token-averaged IPO divide each Δ by its |y| first.
torch::Tensor dpo_loss(const Pair& log_ratios, const DpoOptions& options);

/// Implicit reward βΔ, up to a term that depends on the prompt only.
torch::Tensor implicit_reward(const torch::Tensor& log_ratio, double beta);

/// SLiC-HF: max(0, m − (ℓ_w − ℓ_l)), on policy log-probabilities without reference (Zhao et al. 2023).
torch::Tensor slic_loss(const Pair& logprobs, double margin);

struct KtoOptions {
  double beta = 0.1;
  double desirable = 1.0;    ///< λ_D
  double undesirable = 1.0;  ///< λ_U
};
/// z0 = max(0, mean Δ of other prompts' answers, over the step); carries no gradient. kWrongCount is the caller's: at
/// least one mismatched pair.
torch::Tensor kto_reference_point(const torch::Tensor& mismatched_log_ratios);
/// KTO (Ethayarajh et al. 2024), per answer. `desirable`: bool [answers].
torch::Tensor kto_loss(const torch::Tensor& log_ratio, const torch::Tensor& desirable,
                       const torch::Tensor& reference_point, const KtoOptions& options);

struct SimpoOptions {
  double beta = 2.0;
  double gamma = 0.5;  ///< target margin
};
/// SimPO (Meng et al. 2024): −log σ(β ℓ_w/|w| − β ℓ_l/|l| − γ). `lengths` in tokens.
torch::Tensor simpo_loss(const Pair& logprobs, const Pair& lengths, const SimpoOptions& options);

/// CPO (Xu et al. 2024): −log σ(β(ℓ_w − ℓ_l)) + α·NLL_w, the NLL a sum over the answer's tokens.
torch::Tensor cpo_loss(const Pair& logprobs, double beta, double alpha = 1.0);

/// log odds = log P − log(1 − P) with P = e^(mean log-probability of a token) < 1.
torch::Tensor log_odds(const torch::Tensor& mean_logprob);
/// ORPO (Hong et al. 2024): NLL_w (mean of a token) − λ log σ(log odds_w − log odds_l).
torch::Tensor orpo_loss(const Pair& logprobs, const Pair& lengths, double lambda);

/// RRHF (Yuan et al. 2023) over K ranked answers: Σ_{r_i > r_j} max(0, p_j − p_i) + NLL of the best. Answers that are
/// equally good are no pair. `mean_logprobs`: [rankings, K], length-normalised p; `best_nll`: [rankings]; `scores`: r,
/// [rankings, K]; undefined: best first, no two equally good.
torch::Tensor rrhf_loss(const torch::Tensor& mean_logprobs, const torch::Tensor& best_nll,
                        const torch::Tensor& scores = {});

}  // namespace valence::train
