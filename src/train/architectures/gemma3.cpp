#include "architectures/architectures.h"

namespace valence {
namespace {

Result<void> load_gemma3(WeightReader& file, const TransformerShape& shape, std::int64_t block, BlockWeights& weights) {
  weights.local = shape.is_local(block);
  VALENCE_CHECK(load_attention(file, shape, block, weights));
  VALENCE_CHECK(load_head_norms(file, shape, block, weights));
  VALENCE_TRY(weights.attention_out_norm, file.take(block_tensor(block, "post_attention_norm"), {shape.width}));
  VALENCE_CHECK(load_mlp(file, shape, block, weights));
  VALENCE_TRY(weights.mlp_out_norm, file.take(block_tensor(block, "post_ffw_norm"), {shape.width}));
  return {};
}

torch::Tensor gemma3_block(const BlockWeights& weights, const torch::Tensor& x, const Pass& pass) {
  const auto norm = [&](const torch::Tensor& value, const torch::Tensor& weight) {
    return rms_norm(value, weight, pass.shape->norm_epsilon);
  };
  const auto attended = x + norm(attention(weights, norm(x, weights.attention_norm), pass), weights.attention_out_norm);
  return attended +
         norm(gated_mlp(weights, norm(attended, weights.mlp_norm), pass, Gate::kGeluTanh), weights.mlp_out_norm);
}

}  // namespace

/// Most blocks see a sliding window and turn with another θ; outputs of attention and MLP are normed once more before
/// they are added. The file's norm weights have their +1 already.
const Architecture kGemma3{"gemma3", load_gemma3, gemma3_block};

}  // namespace valence
