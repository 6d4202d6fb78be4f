#pragma once

#include <span>
#include <utility>
#include <vector>

#include "llama_generate.h"
#include "llama_plan.h"
#include "llama_vocab.h"
#include "valence/model/open.h"

namespace valence {

/// What bounds a plan besides its requests.
struct PlanLimits {
  TreeLimits tree;                     ///< its context is the least; long requests may raise it unless it is fixed
  bool fixed_context = false;          ///< the user set the number of cells
  std::size_t trained_context = 0;     ///< tokens of one sequence; 0 = not known
  GenerationRoom generation{.sequences = 64, .cells = 4096};  ///< of one group; bounds what a kill can cost
  Sharing sharing = Sharing::kTree;
};

/// Everything `plan` and `run` need to know, a pure function of the requests and the limits.
/// Groups are the score units, then the generations, then, if there are any, the rejected requests.
struct RequestLayout {
  std::vector<TokenScore> scores;
  ScoreLayout score_layout;
  TreeLimits tree_limits;
  std::vector<GenerationGroup> generations;
  std::vector<std::pair<std::size_t, Error>> rejected;  ///< requests that cannot be computed, and why

  std::size_t groups() const { return score_layout.units.size() + generations.size() + (rejected.empty() ? 0 : 1); }
};

/// kUsage, naming the request, for values that no model could take (a temperature below 0, a grammar that is none).
/// Requests too long for this model are rejected one by one.
Result<RequestLayout> lay_out(std::span<const Request> requests, const Vocabulary& vocabulary, const PlanLimits& limits);

}  // namespace valence
