#pragma once

#include <torch/torch.h>

namespace valence::train {

/// Supervised fine-tuning: −mean of the learned tokens' log-probabilities (nats), each token counting the same.
/// `token_logprobs`: [tokens], prompt tokens left out by the caller. `weights`: [tokens] or undefined.
torch::Tensor token_nll_loss(const torch::Tensor& token_logprobs, const torch::Tensor& weights = {});

/// Cross-entropy of answers to a target distribution: −Σ_o p_o log π(o), per question.
///
/// `option_logprobs`, `target`: [questions, options]; log-probabilities are of the whole option under the model, so
/// that mass on anything that is no option costs too. With `among_options` they are renormalised over the options
/// first, and what else the model might say is free.
torch::Tensor choice_loss(const torch::Tensor& option_logprobs, const torch::Tensor& target,
                          bool among_options = false);

}  // namespace valence::train
