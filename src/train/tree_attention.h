#pragma once

#include <torch/torch.h>

#include "pass.h"

namespace valence {

/// Attention inside each tree of a pack: softmax(scale · q kᵀ) v over the keys that a query sees.
///
/// q: [tokens, heads, width]; k, v: [tokens, key heads, width]. Returns [tokens, heads · width]. A whole block is one
/// product per key head, for all query heads that it serves. Differentiable once.
torch::Tensor tree_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                             const AttentionPlanPtr& plan, double scale);

}  // namespace valence
