#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "model/llama_tiny.h"
#include "transformer.h"
#include "valence/base/random.h"
#include "valence/model/token_scorer.h"

namespace valence::test {

inline TransformerOptions adapter_options(std::int64_t rank = 4, std::uint64_t seed = 1) {
  TransformerOptions options;
  options.tuning.lora.rank = rank;
  options.tuning.lora.alpha = 8;
  options.tuning.seed = seed;
  return options;
}

inline TransformerOptions full_options() {
  TransformerOptions options;
  options.tuning.part = TunedPart::kEverything;
  return options;
}

inline std::unique_ptr<Transformer> load_tiny(const std::filesystem::path& path,
                                              const TransformerOptions& options = adapter_options()) {
  auto model = Transformer::load(path, options);
  if (!model) throw std::runtime_error(model.error().message);
  return *std::move(model);
}

/// Adapters as training would leave them: B is no longer zero.
inline void stir_adapters(const Transformer& model, double size = 0.05) {
  const torch::NoGradGuard no_grad;
  for (const auto& pair : model.adapters()) {
    RandomStream random(7, pair.tensor);
    auto b = pair.b;
    auto* values = b.data_ptr<float>();
    for (std::int64_t i = 0; i < b.numel(); ++i) values[i] = static_cast<float>(size * random.normal());
  }
}

inline std::vector<TokenId> random_tokens(std::uint64_t seed, std::size_t count,
                                          const std::vector<TokenId>& prefix = {}) {
  return random_prompt(seed, count, prefix).tokens;
}

/// A path of which every token from `first` on is a target.
inline TrainingPath path_from(std::vector<TokenId> tokens, std::size_t first, bool whole = false) {
  TrainingPath path{std::move(tokens), {}, whole};
  for (auto i = first; i < path.tokens.size(); ++i) path.targets.push_back(i);
  return path;
}

inline std::vector<TreePack> packed(const std::vector<PathGroup>& groups, const PackLimits& limits = {}) {
  auto packs = pack_trees(groups, limits);
  if (!packs) throw std::runtime_error(packs.error().message);
  return *std::move(packs);
}

/// The pack of one text all of whose tokens are computed.
inline TreePack whole_text(const std::vector<TokenId>& tokens) {
  return packed({{{path_from(tokens, 1, /*whole=*/true)}}}).front();
}

inline std::vector<float> logits_of(const Transformer& model, const std::vector<TokenId>& tokens) {
  const torch::NoGradGuard no_grad;
  const auto logits = model.logits(whole_text(tokens)).contiguous();
  return {logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel()};
}

inline std::vector<float> engine_logits(const std::filesystem::path& path, const std::vector<TokenId>& tokens,
                                        const std::vector<AdapterSpec>& adapters = {}) {
  auto engine = TokenScorer::open(path, "as_is", adapters);
  if (!engine) throw std::runtime_error(engine.error().message);
  auto logits = engine->logits(tokens);
  if (!logits) throw std::runtime_error(logits.error().message);
  return *std::move(logits);
}

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size() || a.empty()) return INFINITY;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

}  // namespace valence::test
