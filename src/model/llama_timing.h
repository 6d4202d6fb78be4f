#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "llama_context.h"
#include "valence/base/random.h"

namespace valence {

/// A format or backend must win by this much to be chosen over the plain one.
inline constexpr double kClearlyFaster = 1.05;

inline std::vector<TokenId> random_tokens(std::size_t count, std::size_t vocabulary) {
  RandomStream random(0, "tune");
  std::vector<TokenId> tokens(count);
  for (auto& token : tokens) token = static_cast<TokenId>(random.below(vocabulary));
  return tokens;
}

inline double seconds_of(const std::function<Result<void>()>& work, Result<void>& status) {
  const auto begin = std::chrono::steady_clock::now();
  if (auto result = work(); !result) status = result;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline void ignore_rows(std::span<const std::pair<std::size_t, const float*>>) {}

inline Batch prompt_batch(std::span<const TokenId> tokens) {
  constexpr llama_seq_id kFirst = 0;
  Batch batch;
  for (std::size_t i = 0; i < tokens.size(); ++i) batch.add(tokens[i], i, std::span(&kFirst, 1), i + 1 == tokens.size());
  return batch;
}

}  // namespace valence
