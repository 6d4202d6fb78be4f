#pragma once

#include <torch/torch.h>

#include <vector>

#include "shape.h"
#include "tree_batch.h"

namespace valence {

/// One attention block on the device.
struct AttentionStep {
  TokenRange queries;
  std::vector<TokenRange> keys;
  torch::Tensor hidden;  ///< [queries, keys]: 0 where a query sees the key, else -inf; undefined if it sees all
};

/// Who sees whom in a pack. Shared by all blocks of one kind, and kept by the graph until its backward pass.
struct AttentionPlan : torch::CustomClassHolder {
  std::vector<AttentionStep> steps;
};
using AttentionPlanPtr = c10::intrusive_ptr<AttentionPlan>;

/// `window`: tokens that are seen, the query itself included; 0 = all ancestors.
AttentionPlanPtr plan_attention(const TreePack& pack, std::int64_t window, torch::Device device);

/// Cosines and sines by which each token's queries and keys are turned: [tokens, 1, head width / 2].
struct RopeTable {
  torch::Tensor cosine, sine;
};

/// θ_i = position · scale · base^(-2i/d) / factor_i, in double. `factors`: undefined = 1.
RopeTable rope_table(const TreePack& pack, std::int64_t head_width, double base, double scale,
                     const torch::Tensor& factors, torch::Device device);

/// Everything of one pack that the blocks need.
struct Pass {
  const TransformerShape* shape;
  torch::Tensor tokens;        ///< [tokens], int64
  RopeTable rope, rope_local;  ///< the latter is undefined without local blocks
  AttentionPlanPtr attention, attention_local;
  double adapter_scale = 1.0;
  double dropout = 0.0;  ///< 0 outside of training
  bool bf16 = false;
  mutable at::Generator generator;  ///< of dropout
};

/// Which states the head reads, and what it looks up there.
struct LossPlan {
  torch::Tensor rows;    ///< [rows] tokens of the pack, increasing, each once
  torch::Tensor row;     ///< [losses], index into `rows`
  torch::Tensor target;  ///< [losses]
};
LossPlan plan_losses(const TreePack& pack, torch::Device device);

}  // namespace valence
