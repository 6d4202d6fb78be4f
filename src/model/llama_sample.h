#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llama-cpp.h"
#include "llama_vocab.h"
#include "valence/base/result.h"
#include "valence/model/request.h"

namespace valence {

/// GBNF of a constraint: the grammar itself, or the one that llama.cpp derives from the JSON schema; empty for none.
/// kUsage when the text is neither.
Result<std::string> grammar_of(const Constraint& constraint);

/// Parses a grammar for a vocabulary. kUsage with the engine's complaint when it is not one.
Result<llama_sampler_ptr> parse_grammar(const Vocabulary& vocabulary, const std::string& gbnf);

/// Probabilities under temperature and nucleus, in nats before normalisation: index and weight, the kept tokens only.
/// temperature 0 keeps the most probable token (the lowest id among equals). `allowed` may be empty (all are).
struct Candidate {
  TokenId token;
  double weight;
};
std::vector<Candidate> candidates(std::span<const float> logits, const Sampling& sampling);

/// Draws tokens for one request: temperature, then the tokens that the grammar allows, then the nucleus.
///
/// The random number of token i comes from the stream (seed, "generate", i): nothing that other requests do, and no
/// other token's draw, changes it.
class TokenSampler {
 public:
  static Result<TokenSampler> make(const Vocabulary& vocabulary, const Sampling& sampling, const Constraint& constraint);

  /// The token drawn as number `index` of the text. kModel when the grammar allows none.
  Result<TokenId> draw(std::span<const float> logits, std::size_t index);

 private:
  TokenSampler(const Vocabulary& vocabulary, const Sampling& sampling) : vocabulary_(&vocabulary), sampling_(sampling) {}
  bool allows(TokenId token) const;
  std::vector<float> allowed_only(std::span<const float> logits) const;

  const Vocabulary* vocabulary_;
  Sampling sampling_;
  llama_sampler_ptr grammar_;
};

/// The text of a completion as it grows: bytes of pieces, cut before a stop string.
class GrowingText {
 public:
  explicit GrowingText(std::vector<std::string> stop) : stop_(std::move(stop)) {}
  /// True when a stop string is complete; the text then ends before it.
  bool append(std::string_view piece);
  /// Valid UTF-8: what a cut token left at the end is dropped, other damage is replaced by U+FFFD.
  std::string finish() const;

 private:
  std::vector<std::string> stop_;
  std::string bytes_;
};

}  // namespace valence
