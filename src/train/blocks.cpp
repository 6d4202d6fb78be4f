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

Tensor attention(const BlockWeights& weights, const Tensor& x, const Pass& pass) {
  const auto& shape = *pass.shape;
  const auto heads = weights.qkv.forward(x, pass).view({x.size(0), -1, shape.head_width});
  const auto parts = heads.split_with_sizes({shape.heads, shape.key_heads, shape.key_heads}, 1);
  auto q = parts[0], k = parts[1];
  const auto& v = parts[2];
  if (weights.query_norm.defined()) q = rms_norm(q, weights.query_norm, shape.norm_epsilon);
  if (weights.key_norm.defined()) k = rms_norm(k, weights.key_norm, shape.norm_epsilon);
  const auto& table = weights.local ? pass.rope_local : pass.rope;
  const auto& plan = weights.local ? pass.attention_local : pass.attention;
  const auto mixed = tree_attention(rope(q, table, shape.rope_pairs), rope(k, table, shape.rope_pairs), v, plan,
                                    shape.attention_scale);
  return weights.output.forward(mixed, pass);
}

Tensor gated_mlp(const BlockWeights& weights, const Tensor& x, const Pass& pass, Gate gate) {
  return weights.down.forward(gated(weights.gate_up.forward(x, pass), gate), pass);
}

Tensor pre_norm_block(const BlockWeights& weights, const Tensor& x, const Pass& pass) {
  const auto epsilon = pass.shape->norm_epsilon;
  const auto attended = x + attention(weights, rms_norm(x, weights.attention_norm, epsilon), pass);
  return attended + gated_mlp(weights, rms_norm(attended, weights.mlp_norm, epsilon), pass, Gate::kSilu);
}

}  // namespace valence
