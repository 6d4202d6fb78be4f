#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// A matrix of a block that an adapter can be put on: its name in GGUF files and in the published layout.
struct LoraTarget {
  std::string_view gguf;       ///< "attn_q" of "blk.0.attn_q.weight"
  std::string_view published;  ///< "self_attn.q_proj" of "model.layers.0.self_attn.q_proj"
};
/// All of them: attention (query, key, value, output) and the gated MLP (gate, up, down).
std::span<const LoraTarget> lora_targets();

/// A low-rank adapter: y = Wx + s·B·A·dropout(x), with s = alpha / rank, or alpha / √rank if rank-stabilised
/// (Hu et al. 2021; Kalajdzievski 2023). A starts uniform in ±1/√(inputs), B at zero.
struct LoraOptions {
  std::int64_t rank = 8;
  double alpha = 16.0;
  bool rank_stabilised = false;
  double dropout = 0.0;              ///< in [0, 1)
  std::vector<std::string> targets;  ///< GGUF names; empty = all of lora_targets()

  double scale() const;
};

enum class TunedPart { kAdapter, kEverything };

/// What is trained. `seed` is used before any parameter exists: equal options give equal parameters, whatever else the
/// process drew.
struct TuningOptions {
  TunedPart part = TunedPart::kAdapter;
  LoraOptions lora;
  std::uint64_t seed = 0;
};

/// kUsage, naming the option, its value and what it may be.
Result<void> check_lora(const LoraOptions& options);

}  // namespace valence
