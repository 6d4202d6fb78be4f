#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "valence/base/result.h"
#include "valence/model/gguf.h"

namespace valence {

/// Which coordinates of a head rotary embedding turns together.
enum class RopePairs {
  kNeighbours,  ///< (2k, 2k+1): llama, whose query and key rows the converter permuted for it
  kHalves,      ///< (k, k + d/2): qwen2, qwen3, gemma3
};

/// A decoder's numbers, as the head of its GGUF file says them.
struct TransformerShape {
  std::string architecture;
  std::int64_t vocabulary = 0, width = 0, blocks = 0, feed_forward = 0;
  std::int64_t heads = 0, key_heads = 0;  ///< every key head serves heads / key_heads query heads
  std::int64_t head_width = 0;            ///< of queries, keys and values
  std::int64_t context_length = 0;        ///< tokens it was trained for; 0 = not said
  double norm_epsilon = 1e-5;
  RopePairs rope_pairs = RopePairs::kHalves;
  double rope_base = 10000.0;        ///< θ of the blocks that see everything
  double rope_base_local = 10000.0;  ///< θ of the blocks with a sliding window
  double rope_scale = 1.0;           ///< positions are multiplied by it (linear scaling); local blocks' are not
  double attention_scale = 0.0;      ///< of query · key
  std::int64_t window = 0;           ///< tokens that a local block sees, itself included; 0 = no such blocks
  std::int64_t window_pattern = 1;   ///< every so many-th block sees everything, the others are local
  double logit_cap = 0.0;            ///< logits become c·tanh(x/c); 0 = they stay
  double embedding_scale = 1.0;

  bool is_local(std::int64_t block) const { return window > 0 && block % window_pattern < window_pattern - 1; }
};

/// Reads and checks them. kUnsupported, naming the file and the key, for an architecture that the trainer does not
/// know, mixtures of experts, rope scalings other than linear, and heads of unequal widths; kCorrupt for missing or
/// impossible numbers.
Result<TransformerShape> read_shape(const GgufInfo& info, const std::filesystem::path& path);

}  // namespace valence
