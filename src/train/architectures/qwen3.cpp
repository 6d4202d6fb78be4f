#include "architectures/architectures.h"

namespace valence {
namespace {

Result<void> load_qwen3(WeightReader& file, const TransformerShape& shape, std::int64_t block, BlockWeights& weights) {
  VALENCE_CHECK(load_attention(file, shape, block, weights));
  VALENCE_CHECK(load_head_norms(file, shape, block, weights));
  return load_mlp(file, shape, block, weights);
}

}  // namespace

/// Queries and keys are normed per head; heads may be wider than the model's width divided by their number.
const Architecture kQwen3{"qwen3", load_qwen3, pre_norm_block};

}  // namespace valence
