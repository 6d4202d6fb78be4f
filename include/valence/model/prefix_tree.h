#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

/// A token path from the root and the rows (positions whose next-token distribution is needed) on it.
struct TokenPath {
  std::vector<TokenId> tokens;
  std::vector<std::size_t> rows;  ///< increasing indices into `tokens`
};

/// A run of tokens without branching. Segments are stored in pre-order; children follow their parent.
struct Segment {
  std::size_t parent;             ///< index, or kNoSegment for a root
  std::size_t begin;              ///< position of its first token in the sequence
  std::vector<TokenId> tokens;    ///< never empty
  std::size_t first_leaf, leaf_end;  ///< leaves below it: [first_leaf, leaf_end)
  std::vector<std::size_t> rows;  ///< offsets within `tokens` whose distribution is needed, increasing

  std::size_t end() const { return begin + tokens.size(); }  ///< position after its last token
};
inline constexpr std::size_t kNoSegment = static_cast<std::size_t>(-1);

/// The distinct prefixes of all paths, as a flat radix tree in pre-order, leaves in token order.
struct PrefixTree {
  std::vector<Segment> segments;
  std::vector<std::size_t> leaves;        ///< segment in which each leaf ends
  std::vector<std::size_t> leaf_of_path;  ///< for each path given, the first leaf on whose way it lies
  std::size_t tokens() const;             ///< number of distinct prefixes = tokens to compute
};

/// Paths must not be empty. A path that is a prefix of another adds rows but no leaf and no segment. The tree depends
/// on the set of paths only, not on their order (but for `leaf_of_path`, which follows it).
PrefixTree build_prefix_tree(std::span<const TokenPath> paths);

/// Where a row stands in the tree.
struct RowPlace {
  std::size_t segment;
  std::size_t offset;  ///< within the segment's tokens

  bool operator==(const RowPlace&) const = default;
};

/// Places of `rows` (increasing positions in the sequence) on the way to `leaf`, in the same order. For path p of the
/// tree: rows_of_path(tree, tree.leaf_of_path[p], paths[p].rows).
std::vector<RowPlace> rows_of_path(const PrefixTree& tree, std::size_t leaf, std::span<const std::size_t> rows);

struct TreeLimits {
  std::size_t body = 512;       ///< tokens of a group's body (one micro-batch)
  std::size_t sequences = 64;   ///< leaves plus depth of the spine
  std::size_t rows = 1024;      ///< distributions of a group's body
  std::size_t context = 4096;   ///< KV cells: spine plus body
};

/// Leaves computed by one decode on top of a spine of segments that outlive the group.
///
/// A segment with leaves both inside and outside of the group is a *spine* segment: it is decoded alone, chained on the
/// spine segments above it, and never in any group's body. A segment all of whose leaves are in the group is in its
/// body. So each segment is in exactly one body, or in none and on the spine of every group that has a leaf below it.
///
/// Rows on a spine segment are read when it is pushed: its tokens and all that is wanted of its rows (by every path
/// below it, in whatever group) are known from the plan, so the reduced numbers are kept beside it for as long as it
/// stays on the stack. Whenever it is pushed, it is computed from the same chain in the same way, so these numbers do
/// not depend on which group it was pushed for. Hence every row of a path is at hand in the group of the path's leaf
/// (on its spine or in its body), no token is computed twice, and a group is a function of its spine and body alone.
///
/// Groups taken in order use the spine as one stack: of the segments in memory, a group keeps those on its own spine
/// (always the lower part of the stack), pops the rest, and pushes what is missing on top.
struct TreeGroup {
  std::size_t first_leaf, leaf_end;
  std::vector<std::size_t> spine;  ///< segments from the root downwards that must be in memory before the body; a chain
  std::vector<std::size_t> body;   ///< segments, pre-order; a parent is in the body too, or on the spine, or absent
};

/// Cuts the tree into groups: maximal runs of leaves within the limits, closed at the shallowest boundary (the latest
/// among equals; the end of all leaves counts as depth 0).
///
/// A single leaf that alone exceeds `body` or `rows` is a group of its own, decoded in micro-batches; spine segments
/// too may be longer than `body` or have more rows than `rows`. Fails with kUnsupported, naming the path's length, when one
/// path does not fit the context, and when a leaf's spine is deeper than the sequences allow.
Result<std::vector<TreeGroup>> cut_into_groups(const PrefixTree& tree, const TreeLimits& limits);

/// The group that holds a leaf; `groups` as returned by cut_into_groups.
std::size_t group_of_leaf(std::span<const TreeGroup> groups, std::size_t leaf);

}  // namespace valence
