#include "blocks.h"

#include "tree_attention.h"

namespace valence {
namespace {

using torch::Tensor;

std::string part(std::int64_t block, std::string_view name) { return fmt::format("blk.{}.{}", block, name); }

}  // namespace

std::string block_tensor(std::int64_t block, std::string_view name) { return part(block, name) + ".weight"; }

Result<void> load_attention(WeightReader& file, const TransformerShape& shape, std::int64_t block,
                            BlockWeights& weights) {
  const auto queries = shape.heads * shape.head_width, keys = shape.key_heads * shape.head_width;
  VALENCE_TRY(weights.attention_norm, file.take(block_tensor(block, "attn_norm"), {shape.width}));
  if (file.has(block_tensor(block, "attn_qkv"))) {
    VALENCE_TRY(weights.qkv, Projection::load(file, {part(block, "attn_qkv")}, {queries + 2 * keys}, shape.width));
  } else {
    VALENCE_TRY(weights.qkv,
                Projection::load(file, {part(block, "attn_q"), part(block, "attn_k"), part(block, "attn_v")},
                                 {queries, keys, keys}, shape.width));
  }
  VALENCE_TRY(weights.output, Projection::load(file, {part(block, "attn_output")}, {shape.width}, queries));
  return {};
}

Result<void> load_head_norms(WeightReader& file, const TransformerShape& shape, std::int64_t block,
                             BlockWeights& weights) {
  VALENCE_TRY(weights.query_norm, file.take(block_tensor(block, "attn_q_norm"), {shape.head_width}));
  VALENCE_TRY(weights.key_norm, file.take(block_tensor(block, "attn_k_norm"), {shape.head_width}));
  return {};
}

Result<void> load_mlp(WeightReader& file, const TransformerShape& shape, std::int64_t block, BlockWeights& weights) {
  VALENCE_TRY(weights.mlp_norm, file.take(block_tensor(block, "ffn_norm"), {shape.width}));
  VALENCE_TRY(weights.gate_up, Projection::load(file, {part(block, "ffn_gate"), part(block, "ffn_up")},
                                                {shape.feed_forward, shape.feed_forward}, shape.width));
  VALENCE_TRY(weights.down, Projection::load(file, {part(block, "ffn_down")}, {shape.width}, shape.feed_forward));
  return {};
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  return x * (x.square().mean(-1, /*keepdim=*/true) + epsilon).rsqrt() * weight;
}

Tensor rope(const Tensor& x, const RopeTable& table, RopePairs pairs) {
  const auto half = x.size(2) / 2;
  if (pairs == RopePairs::kHalves) {
    const auto first = x.narrow(2, 0, half), second = x.narrow(2, half, half);
    return torch::cat({first * table.cosine - second * table.sine, second * table.cosine + first * table.sine}, 2);
  }
  const auto couples = x.view({x.size(0), x.size(1), half, 2});
  const auto first = couples.select(3, 0), second = couples.select(3, 1);
  return torch::stack({first * table.cosine - second * table.sine, second * table.cosine + first * table.sine}, 3)
      .view(x.sizes());
}

Tensor attention(const BlockWeights& weights, const Tensor& x, const Pass& pass) {
  const auto& shape = *pass.shape;
  const auto heads = weights.qkv.forward(x, pass).view({x.size(0), -1, shape.head_width});
  auto q = heads.narrow(1, 0, shape.heads), k = heads.narrow(1, shape.heads, shape.key_heads);
  const auto v = heads.narrow(1, shape.heads + shape.key_heads, shape.key_heads);
  if (weights.query_norm.defined()) q = rms_norm(q, weights.query_norm, shape.norm_epsilon);
  if (weights.key_norm.defined()) k = rms_norm(k, weights.key_norm, shape.norm_epsilon);
  const auto& table = weights.local ? pass.rope_local : pass.rope;
  const auto& plan = weights.local ? pass.attention_local : pass.attention;
  const auto mixed = tree_attention(rope(q, table, shape.rope_pairs), rope(k, table, shape.rope_pairs), v, plan,
                                    shape.attention_scale);
  return weights.output.forward(mixed, pass);
}

Tensor gated_mlp(const BlockWeights& weights, const Tensor& x, const Pass& pass, Gate gate) {
  const auto both = weights.gate_up.forward(x, pass);
  const auto half = both.size(1) / 2;
  const auto gates = both.narrow(1, 0, half), up = both.narrow(1, half, half);
  const auto open = gate == Gate::kSilu ? torch::silu(gates) : torch::gelu(gates, "tanh");
  return weights.down.forward(open * up, pass);
}

Tensor pre_norm_block(const BlockWeights& weights, const Tensor& x, const Pass& pass) {
  const auto epsilon = pass.shape->norm_epsilon;
  const auto attended = x + attention(weights, rms_norm(x, weights.attention_norm, epsilon), pass);
  return attended + gated_mlp(weights, rms_norm(attended, weights.mlp_norm, epsilon), pass, Gate::kSilu);
}

}  // namespace valence
