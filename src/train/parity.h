#pragma once

#include <cstddef>
#include <filesystem>
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
  /// Largest mean |difference| of token log-probabilities, in nats, before a run is stopped. Files in few bits differ
  /// by some hundredths because the engine quantises activations too.
  double tolerance = 0.25;
};

/// Token log-probabilities of trainer and engine on the same tokens.
struct Parity {
  std::size_t tokens = 0;
  double mean = 0, largest = 0;  ///< |difference|, nats
  std::string describe() const;
};

/// Compares on texts given as tokens (two at least each). kMismatch above the tolerance, naming the likely causes.
Result<Parity> compare_with_engine(const Transformer& model, std::span<const std::vector<TokenId>> texts,
                                   const ParityOptions& options);

}  // namespace valence
