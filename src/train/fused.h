#pragma once

#include <torch/torch.h>

#include "pass.h"

namespace valence {

// What a block computes value by value, each as one function with a gradient of its own. Left to autograd, every view
// of a part would cost a tensor of zeros on the way back, and these were half of a training step where products are
// fast.

enum class Gate { kSilu, kGeluTanh };

/// x / √(mean x² + ε) · weight, over the last dimension.
torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double epsilon);

/// Turns every head of [tokens, heads, width] by the tokens' angles.
torch::Tensor rope(const torch::Tensor& x, const RopeTable& table, RopePairs pairs);

/// gate(g) · u of [tokens, g and u beside each other].
torch::Tensor gated(const torch::Tensor& both, Gate gate);

}  // namespace valence
