#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "transformer.h"
#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

struct ParityOptions {
  std::string format = "as_is";       ///< what the engine computes with: as_is, f32, f16, q8_0
  std::vector<AdapterSpec> adapters;  ///< of the engine
  int threads = 1;
  /// Largest mean |difference| of token log-probabilities, in nats, before a run is stopped; none = default_tolerance.
  std::optional<double> tolerance;
};

/// 0.02 nats where both sides multiply in F32. The engine compares as exactly as it can (TokenScorer: F32 cache, flash
/// attention and repacking off), so that only the order of sums is left, and gemma3's GELU, which ggml reads from a
/// table of halves. 0.25 where one side rounds activations too: files or adapters in fewer bits, or products in bf16.
/// Whatever read_gguf_header says.
Result<double> default_tolerance(const Transformer& model, const ParityOptions& options);

/// Token log-probabilities of trainer and engine on the same tokens.
struct Parity {
  std::size_t tokens = 0;
  double mean = 0, largest = 0;  ///< |difference|, nats
  std::string describe() const;
};

/// Compares on texts given as tokens (two at least each). kMismatch above the tolerance, naming the likely causes. Chat
/// template and BOS are none: LanguageModel::render alone settles them, for training data as for measurements.
Result<Parity> compare_with_engine(const Transformer& model, std::span<const std::vector<TokenId>> texts,
                                   const ParityOptions& options);

}  // namespace valence
