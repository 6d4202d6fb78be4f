#include "valence/model/token_scorer.h"

#include <algorithm>

#include "llama_context.h"
#include "llama_engine.h"
#include "llama_score.h"
#include "llama_vocab.h"

namespace valence {

struct TokenScorer::State {
  std::shared_ptr<const LlamaWeights> weights;
  std::vector<LlamaAdapter> adapters;
  int threads = 1;
  std::unique_ptr<EngineContext> context = nullptr;  ///< after the adapters, which it refers to

  std::size_t vocabulary() const { return static_cast<std::size_t>(llama_vocab_n_tokens(weights->vocab())); }
  Result<void> fit(std::size_t tokens);
  Result<void> check(std::span<const TokenId> tokens) const;
  Result<void> decode(std::span<const TokenId> tokens, const EngineContext::Rows& rows);
};

/// A context whose one micro-batch holds the sequence.
Result<void> TokenScorer::State::fit(std::size_t tokens) {
  if (context && context->shape().cells >= tokens && context->shape().outputs >= tokens &&
      context->shape().micro_batch >= tokens)
    return {};
  constexpr std::size_t kUnit = 64;  // texts of about one length share a context
  ContextShape shape;
  shape.cells = shape.micro_batch = shape.outputs = (tokens + kUnit - 1) / kUnit * kUnit;
  shape.exact = true;
  shape.threads = threads;
  context.reset();
  VALENCE_TRY(context, EngineContext::make(weights, shape, adapters));
  return {};
}

Result<void> TokenScorer::State::check(std::span<const TokenId> tokens) const {
  if (tokens.empty()) return fail(ErrorCode::kInvalid, "no tokens to score");
  for (const auto token : tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= vocabulary()) {
      return fail(ErrorCode::kInvalid, "token {} is outside the vocabulary of {}", token, vocabulary());
    }
  }
  return {};
}

Result<void> TokenScorer::State::decode(std::span<const TokenId> tokens, const EngineContext::Rows& rows) {
  VALENCE_CHECK(check(tokens));
  VALENCE_CHECK(fit(tokens.size()));
  context->clear();
  constexpr llama_seq_id kFirst = 0;
  Batch batch;
  for (std::size_t i = 0; i < tokens.size(); ++i) batch.add(tokens[i], i, std::span(&kFirst, 1), true);
  return context->decode(batch, rows, {});
}

TokenScorer::TokenScorer(std::unique_ptr<State> state) : state_(std::move(state)) {}
TokenScorer::TokenScorer(TokenScorer&&) noexcept = default;
TokenScorer::~TokenScorer() = default;

Result<TokenScorer> TokenScorer::open(const std::filesystem::path& path, const std::string& format,
                                      const std::vector<AdapterSpec>& adapters, int threads) {
  VALENCE_CHECK(start_engine("auto", "cpu"));
  VALENCE_TRY(const auto file, check_model_file(path));
  auto state = std::make_unique<State>();
  state->threads = threads;
  VALENCE_TRY(state->weights, load_weights(file, format, 0, Layout::kPlain));
  VALENCE_CHECK(check_language(*state->weights, file));
  for (const auto& spec : adapters) {
    VALENCE_TRY(auto adapter, load_adapter(*state->weights, file.info.architecture(), spec));
    state->adapters.push_back(std::move(adapter));
  }
  return TokenScorer(std::move(state));
}

Result<std::vector<double>> TokenScorer::logprobs(std::span<const TokenId> tokens) {
  std::vector<double> values;
  VALENCE_CHECK(state_->decode(tokens, [&](auto rows) {
    for (const auto& [index, logits] : rows) {
      if (index + 1 == tokens.size()) continue;
      values.push_back(log_softmax_at({logits, state_->vocabulary()}, tokens.subspan(index + 1, 1)).front());
    }
  }));
  return values;
}

Result<std::vector<float>> TokenScorer::logits(std::span<const TokenId> tokens) {
  std::vector<float> values;
  VALENCE_CHECK(state_->decode(tokens, [&](auto rows) {
    for (const auto& [index, logits] : rows) values.insert(values.end(), logits, logits + state_->vocabulary());
  }));
  return values;
}

std::size_t TokenScorer::vocabulary() const { return state_->vocabulary(); }

Result<std::vector<TokenId>> TokenScorer::tokenize(std::string_view text) const {
  const TextPart part{std::string(text), /*from_people=*/true};
  return vocabulary_of(*state_->weights, "").tokenize(std::span(&part, 1));
}

}  // namespace valence
