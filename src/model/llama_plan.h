#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/model/prefix_tree.h"
#include "valence/model/request.h"

namespace valence {

/// What requests may share: every prefix (the product), prefixes inside one request, or nothing (reference mode).
/// The latter two exist for reference and for benchmarks.
enum class Sharing { kTree, kRequest, kNone };

/// A score request in tokens. No list is empty but `terminator`, which is only needed when a continuation begins another.
struct TokenScore {
  std::size_t request;  ///< index into the plan's requests
  std::vector<TokenId> context;
  std::vector<std::vector<TokenId>> continuations;
  std::vector<TokenId> terminator;
};

/// One log-probability to read: of `token`, after the token at `offset` of `segment`.
struct Read {
  std::size_t segment, offset;
  TokenId token;
};

/// Where a continuation's log-probabilities stand among the reads: its tokens, then its terminator's.
struct ContinuationReads {
  std::size_t first, tokens, terminator;
};

/// The least that is committed at once: the decodes that some requests need, and these requests whole.
struct ScoreUnit {
  std::size_t first_decode, decode_end;
  std::vector<std::size_t> scores;  ///< indices into the list of TokenScores, increasing
};

/// How score requests are computed: a pure function of all of them and of the limits.
struct ScoreLayout {
  PrefixTree tree;
  std::vector<TreeGroup> decodes;
  std::vector<Read> reads;
  std::vector<std::vector<ContinuationReads>> places;  ///< by TokenScore, by continuation
  std::vector<ScoreUnit> units;                        ///< in the order of their decodes

  std::size_t cells(const TreeGroup& decode) const;    ///< tokens of spine and body
};

/// Whether `tokens` is a proper beginning of another list of `all`.
bool begins_another(std::span<const TokenId> tokens, std::span<const std::vector<TokenId>> all);

/// Lays out the scores. Fails as `cut_into_groups` does; beginnings nested deeper than `limits.sequences` raise that limit.
///
/// All leaves of a request lie in one unit. Requests are contiguous in token order unless contexts are equal or one
/// continues another: there a fork, a negative token that sorts before all others, is put behind the context while the
/// tree is cut, and taken out again.
Result<ScoreLayout> lay_out_scores(std::span<const TokenScore> scores, const TreeLimits& limits, Sharing sharing);

/// Tokens that a unit adds to what the one before leaves in memory.
std::vector<std::size_t> unit_costs(const ScoreLayout& layout);

/// Everything in a unit that can change its numbers: spine and body segment by segment, rows, and what is read.
void add_to_digest(Hasher& hasher, const ScoreLayout& layout, const ScoreUnit& unit);

}  // namespace valence
