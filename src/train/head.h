#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "pass.h"

namespace valence {

/// The vocabulary head: logits = states · weightᵀ + bias, then cap·tanh(logits / cap) if there is a cap.
struct Head {
  torch::Tensor weight;  ///< [vocabulary, width]
  torch::Tensor bias;    ///< undefined if there is none
  double cap = 0;
  std::int64_t rows_at_once = 256;
};

torch::Tensor head_logits(const Head& head, const torch::Tensor& states);

/// log softmax at each loss's target, and the entropy of its row if asked for: {[losses], [losses] or undefined}.
///
/// `states`: [rows, width], one per LossPlan::rows. At no time are more than `rows_at_once` rows of logits in memory,
/// nor are they kept for the backward pass: while the head is frozen, the gradient of a row's log normaliser is taken
/// along in the forward pass (one more product), after which the backward pass only looks up rows of the head.
std::pair<torch::Tensor, torch::Tensor> head_logprobs(const Head& head, const torch::Tensor& states,
                                                      const LossPlan& plan, bool with_entropy);

}  // namespace valence
