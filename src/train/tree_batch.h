#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

/// One way through a prompt and an answer, and which of its tokens the loss asks about.
struct TrainingPath {
  std::vector<TokenId> tokens;
  std::vector<std::size_t> targets;  ///< increasing positions >= 1: log p(tokens[i] | tokens before i) is wanted
  /// The state of the last token is wanted too (reward and value heads). Otherwise nothing is computed from the last
  /// target on: an option of one token costs no token at all.
  bool whole = false;
};

/// Paths that one loss needs together: chosen and rejected, all completions of a prompt, all options of a question.
/// A group is never spread over two packs.
struct PathGroup {
  std::vector<TrainingPath> paths;
};

/// Half-open range of a pack's tokens.
struct TokenRange {
  std::size_t begin, end;

  std::size_t size() const { return end - begin; }
  bool operator==(const TokenRange&) const = default;
};

/// Query tokens that are put to the same key tokens in one product. What a query may see of them is decided by
/// `TreePack::sees`; all that any of them may see is among the keys.
struct AttentionBlock {
  TokenRange queries;
  std::vector<TokenRange> keys;  ///< increasing; the last one ends where `queries` ends

  std::size_t key_count() const;
};

/// One wanted log-probability: of `target`, after the token `row`.
struct LossRow {
  std::size_t row;  ///< token of the pack
  TokenId target;
  std::size_t path;      ///< index into TreePack::paths
  std::size_t position;  ///< of the target within its path
};

/// Where a path of the pack came from.
struct PackedPath {
  std::size_t group, path;  ///< indices into the groups given, and into the group's paths
  std::size_t last;         ///< token of the pack that is the last one computed of the path
};

/// Several prefix trees, flat: every distinct prefix is one token, no padding. Ancestors stand before descendants.
struct TreePack {
  static constexpr std::uint32_t kRoot = static_cast<std::uint32_t>(-1);

  std::vector<TokenId> tokens;
  std::vector<std::int32_t> positions;     ///< number of ancestors
  std::vector<std::uint32_t> parents;      ///< kRoot for a tree's first token
  std::vector<std::uint32_t> subtree_end;  ///< first token after the last descendant
  std::vector<AttentionBlock> blocks;      ///< their queries partition the tokens, in order
  std::vector<PackedPath> paths;           ///< by group, in the order given
  std::vector<LossRow> losses;             ///< by path, then by position

  /// Whether `query` may see `key`: its own ancestors and itself, and with window > 0 only the nearest `window` of
  /// them.
  bool sees(std::size_t query, std::size_t key, std::int64_t window = 0) const {
    return key <= query && query < subtree_end[key] && (window <= 0 || positions[query] - positions[key] < window);
  }
};

struct PackLimits {
  std::size_t tokens = 2048;  ///< distinct prefixes of one pack: bounds memory and time of a step
  /// Attention blocks are joined where that adds fewer query-key products than this: a call costs about as much.
  std::size_t join_below = 4096;
};

/// Packs groups in the order given, several to a pack as long as the distinct prefixes of all stay within the limit;
/// what prompts begin with in common (a system prompt) is shared too.
///
/// kInvalid, naming group and path, for targets out of order or range and for a path of which nothing is wanted; kUsage
/// for a group that alone exceeds the limit.
Result<std::vector<TreePack>> pack_trees(std::span<const PathGroup> groups, const PackLimits& limits);

/// Tokens of all paths over tokens computed: what sharing and leaving out save.
double sharing_factor(std::span<const PathGroup> groups, std::span<const TreePack> packs);

}  // namespace valence
