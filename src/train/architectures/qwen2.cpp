#include "architectures/architectures.h"

namespace valence {
namespace {

Result<void> load_qwen2(WeightReader& file, const TransformerShape& shape, std::int64_t block, BlockWeights& weights) {
  VALENCE_CHECK(load_attention(file, shape, block, weights));
  return load_mlp(file, shape, block, weights);
}

}  // namespace

/// As llama, with biases on query, key and value; rope turns the halves of a head.
const Architecture kQwen2{"qwen2", load_qwen2, pre_norm_block};

}  // namespace valence
