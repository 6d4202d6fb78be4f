#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/conversation.h"
#include "valence/model/open.h"

namespace valence {

/// Log-probabilities of given tokens, one sequence per decode, as exactly as the engine can: F32 cache, flash attention
/// off, no repacked weights. For comparisons with other implementations; plans and prefix sharing are elsewhere.
class TokenScorer {
 public:
  /// `format`: as_is, f32, f16 or q8_0. Fails as open_llama does.
  static Result<TokenScorer> open(const std::filesystem::path& path, const std::string& format,
                                  const std::vector<AdapterSpec>& adapters, int threads = 1);
  TokenScorer(TokenScorer&&) noexcept;
  ~TokenScorer();

  /// log p(tokens[i] | tokens before i) in nats, for i = 1 … size − 1. kInvalid for tokens outside the vocabulary.
  Result<std::vector<double>> logprobs(std::span<const TokenId> tokens);
  /// All logits after every token: tokens × vocabulary.
  Result<std::vector<float>> logits(std::span<const TokenId> tokens);
  std::size_t vocabulary() const;
  /// Tokens of plain text as this model reads them, with the beginning that it wants (BOS).
  Result<std::vector<TokenId>> tokenize(std::string_view text) const;

 private:
  struct State;
  explicit TokenScorer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace valence
