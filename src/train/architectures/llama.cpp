#include "architectures/architectures.h"

namespace valence {
namespace {

Result<void> load_llama(WeightReader& file, const TransformerShape& shape, std::int64_t block, BlockWeights& weights) {
  VALENCE_CHECK(load_attention(file, shape, block, weights));
  return load_mlp(file, shape, block, weights);
}

}  // namespace

/// Rope turns neighbouring coordinates; Llama 3's frequency factors come with the file.
const Architecture kLlama{"llama", load_llama, pre_norm_block};

}  // namespace valence
