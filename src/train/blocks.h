#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "fused.h"
#include "pass.h"
#include "projection.h"
#include "weights.h"

namespace valence {

/// What the four architectures' blocks are made of; norms that an architecture does not have are undefined.
struct BlockWeights {
  Projection qkv, output, gate_up, down;
  torch::Tensor attention_norm, mlp_norm;
  torch::Tensor query_norm, key_norm;              ///< per head, before rope
  torch::Tensor attention_out_norm, mlp_out_norm;  ///< before the sum with the block's input
  bool local = false;                              ///< sees only a window
};

/// An architecture: what it takes from a file for one block, and what the block computes.
struct Architecture {
  std::string_view name;
  Result<void> (*load)(WeightReader& file, const TransformerShape& shape, std::int64_t block, BlockWeights& weights);
  torch::Tensor (*forward)(const BlockWeights& weights, const torch::Tensor& x, const Pass& pass);
};
/// Null if unknown.
const Architecture* find_architecture(std::string_view name);

/// "blk.3.attn_norm.weight"
std::string block_tensor(std::int64_t block, std::string_view name);

/// Attention's projections (fused or not, biases where there are some) and its norm.
Result<void> load_attention(WeightReader& file, const TransformerShape& shape, std::int64_t block,
                            BlockWeights& weights);
/// Norms of queries and keys.
Result<void> load_head_norms(WeightReader& file, const TransformerShape& shape, std::int64_t block,
                             BlockWeights& weights);
/// The gated MLP and its norm.
Result<void> load_mlp(WeightReader& file, const TransformerShape& shape, std::int64_t block, BlockWeights& weights);

/// Attention's output for the normed input x, after the output projection.
torch::Tensor attention(const BlockWeights& weights, const torch::Tensor& x, const Pass& pass);

/// down(gate(x) · up(x)) for the normed input x.
torch::Tensor gated_mlp(const BlockWeights& weights, const torch::Tensor& x, const Pass& pass, Gate gate);

/// x + attention(norm x), then + mlp(norm): llama and both Qwens.
torch::Tensor pre_norm_block(const BlockWeights& weights, const torch::Tensor& x, const Pass& pass);

}  // namespace valence
