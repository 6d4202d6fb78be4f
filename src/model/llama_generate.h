#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "llama_context.h"
#include "llama_sample.h"
#include "valence/model/request.h"

namespace valence {

/// Requests that are generated side by side, a fixed set: who finishes early is not replaced.
struct GenerationGroup {
  std::vector<std::size_t> requests;  ///< indices into the plan's requests, in order of their prompts' tokens
  std::size_t cells = 0;              ///< prompts, shared beginnings once, and everything that may be generated
  std::size_t longest = 0;            ///< a prompt and what may follow it
  bool apart = false;                 ///< every sequence has a memory of its own: attention is paid for its own tokens only
};

struct TokenGeneration {
  std::size_t request;
  std::vector<TokenId> prompt;
  std::size_t max_tokens;
};

/// What a group may fill.
struct GenerationRoom {
  std::size_t sequences = 1;
  std::size_t cells = 0;
  std::size_t apart = 0;  ///< cells where every sequence has its own; 0: never
};

/// Cuts requests, sorted by their prompts' tokens, into groups that fit.
std::vector<GenerationGroup> group_generations(std::vector<TokenGeneration> requests, const GenerationRoom& room);

/// Which sequences each token of a list of sorted prompts belongs to, shared beginnings once, in order.
struct SharedToken {
  TokenId token;
  std::size_t position;
  std::vector<llama_seq_id> sequences;
};
std::vector<SharedToken> share_prompts(std::span<const std::vector<TokenId>> prompts);

/// Generates a group. One response per request, in the group's order; one that fails does not spoil the others.
Result<std::vector<Result<Completion>>> generate(EngineContext& context, const Vocabulary& vocabulary,
                                                 std::span<const GenerateRequest* const> requests,
                                                 const std::stop_token& stop);

}  // namespace valence
