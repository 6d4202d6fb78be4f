#include "llama_requests.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace valence {
namespace {

Result<void> check_length(std::size_t length, const PlanLimits& limits) {
  if (limits.trained_context > 0 && length > limits.trained_context) {
    return fail(ErrorCode::kUnsupported, "it takes {} tokens; the model was trained for {}. Shorten the conversation", length,
                limits.trained_context);
  }
  if (limits.fixed_context && length + 1 > limits.tree.context) {  // one cell is kept for the plan's own use
    return fail(ErrorCode::kUnsupported, "it takes {} tokens; the context holds {}. Choose a larger context, or 0", length + 1,
                limits.tree.context);
  }
  return {};
}

Result<void> check_prompt(const Prompt& prompt, const Vocabulary& vocabulary) {
  if (prompt.tokens.empty()) return fail(ErrorCode::kUsage, "its context has no tokens: render it with this model");
  for (const auto token : prompt.tokens) {
    if (!vocabulary.contains(token)) {
      return fail(ErrorCode::kMismatch, "token {} is not of this model's {}: render the context with this model", token,
                  vocabulary.size());
    }
  }
  return {};
}

Result<std::vector<TokenId>> terminator_of(const ScoreRequest& request, const Vocabulary& vocabulary) {
  if (!request.terminator.empty()) return vocabulary.continuation(request.terminator, request.context.tokens.back());
  if (vocabulary.end_of_turn() >= 0) return std::vector<TokenId>{vocabulary.end_of_turn()};
  return fail(ErrorCode::kUsage,
              "one option begins another and the model has no end of turn: name a terminator that ends an option");
}

Result<TokenScore> tokens_of(const ScoreRequest& request, std::size_t index, const Vocabulary& vocabulary) {
  VALENCE_CHECK(check_prompt(request.context, vocabulary));
  if (request.continuations.empty()) return fail(ErrorCode::kUsage, "it has no continuations to score");
  TokenScore score{index, request.context.tokens, {}, {}};
  for (const auto& text : request.continuations) {
    VALENCE_TRY(auto tokens, vocabulary.continuation(text, request.context.tokens.back()));
    if (tokens.empty()) return fail(ErrorCode::kUsage, "its continuation \"{}\" has no tokens", text);
    score.continuations.push_back(std::move(tokens));
  }
  const bool needs_end = std::ranges::any_of(
      score.continuations, [&](const auto& tokens) { return begins_another(tokens, score.continuations); });
  if (needs_end) {
    VALENCE_TRY(score.terminator, terminator_of(request, vocabulary));
  }
  return score;
}

std::size_t longest_path(const TokenScore& score) {
  std::size_t longest = 0;
  for (const auto& tokens : score.continuations) longest = std::max(longest, tokens.size());
  return score.context.size() + longest + score.terminator.size() - 1;
}

Result<TokenGeneration> tokens_of(const GenerateRequest& request, std::size_t index, const Vocabulary& vocabulary) {
  VALENCE_CHECK(check_prompt(request.context, vocabulary));
  const auto& s = request.sampling;
  if (!(s.temperature >= 0) || !std::isfinite(s.temperature)) {
    return fail(ErrorCode::kUsage, "its temperature is {}, expected 0 or more", s.temperature);
  }
  if (!(s.top_p > 0 && s.top_p <= 1)) return fail(ErrorCode::kUsage, "its top_p is {}, expected above 0, at most 1", s.top_p);
  if (s.max_tokens < 1) return fail(ErrorCode::kUsage, "its max_tokens is {}, expected 1 or more", s.max_tokens);
  return TokenGeneration{index, request.context.tokens, static_cast<std::size_t>(s.max_tokens)};
}

/// Equal constraints are checked once.
class ConstraintChecker {
 public:
  explicit ConstraintChecker(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  Result<void> check(const Constraint& constraint) {
    if (constraint.kind == Constraint::Kind::kNone) return {};
    if (!known_.insert({{constraint.kind, constraint.text}, true}).second) return {};
    VALENCE_TRY(const auto gbnf, grammar_of(constraint));
    VALENCE_CHECK(parse_grammar(vocabulary_, gbnf));
    return {};
  }

 private:
  const Vocabulary& vocabulary_;
  std::map<std::pair<Constraint::Kind, std::string>, bool> known_;
};

tl::unexpected<Error> in_request(std::size_t index, Error error) {
  return tl::unexpected<Error>(with_context(std::move(error), fmt::format("request {}", index + 1)));
}

}  // namespace

Result<RequestLayout> lay_out(std::span<const Request> requests, const Vocabulary& vocabulary, const PlanLimits& limits) {
  RequestLayout layout;
  layout.tree_limits = limits.tree;
  std::vector<TokenGeneration> generations;
  ConstraintChecker constraints(vocabulary);
  auto room = limits.generation;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Result<void> fits;
    if (const auto* score = std::get_if<ScoreRequest>(&requests[i])) {
      auto tokens = tokens_of(*score, i, vocabulary);
      if (!tokens) return in_request(i, tokens.error());
      const auto length = longest_path(*tokens);
      fits = check_length(length, limits);
      if (fits && !limits.fixed_context) layout.tree_limits.context = std::max(layout.tree_limits.context, length + 1);
      if (fits) layout.scores.push_back(*std::move(tokens));
    } else {
      const auto& generate = std::get<GenerateRequest>(requests[i]);
      auto tokens = tokens_of(generate, i, vocabulary);
      if (!tokens) return in_request(i, tokens.error());
      if (const auto checked = constraints.check(generate.constraint); !checked) return in_request(i, checked.error());
      const auto length = tokens->prompt.size() + tokens->max_tokens;
      fits = check_length(length, limits);
      if (fits) room.cells = std::max(room.cells, length);
      if (fits) generations.push_back(*std::move(tokens));
    }
    if (!fits) layout.rejected.emplace_back(i, with_context(fits.error(), fmt::format("request {}", i + 1)));
  }
  VALENCE_TRY(layout.score_layout, lay_out_scores(layout.scores, layout.tree_limits, limits.sharing));
  layout.generations = group_generations(std::move(generations), room);
  return layout;
}

}  // namespace valence
