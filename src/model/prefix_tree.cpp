#include "valence/model/prefix_tree.h"

#include <algorithm>
#include <numeric>

namespace valence {
namespace {

using Tokens = std::vector<TokenId>;

std::size_t common_prefix(const Tokens& a, const Tokens& b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

std::vector<std::size_t> in_token_order(std::span<const TokenPath> paths) {
  std::vector<std::size_t> order(paths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return paths[a].tokens < paths[b].tokens; });
  return order;
}

/// Leaves in token order: the path that spells each, and how much of it the leaf before has already.
struct LeafList {
  std::vector<const Tokens*> paths;
  std::vector<std::size_t> shared;  // shared[0] = 0
  std::vector<std::size_t> leaf_of_path;
};

/// In token order a path that is a prefix of any other is a prefix of its successor, so neighbours tell the leaves.
LeafList find_leaves(std::span<const TokenPath> paths) {
  LeafList list;
  list.leaf_of_path.resize(paths.size());
  std::size_t shared = 0;
  const auto order = in_token_order(paths);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Tokens& tokens = paths[order[i]].tokens;
    list.leaf_of_path[order[i]] = list.paths.size();
    const auto next = i + 1 < order.size() ? common_prefix(tokens, paths[order[i + 1]].tokens) : 0;
    if (next == tokens.size()) continue;  // goes on in its successor (or equals it): shares at least `shared` with it
    list.paths.push_back(&tokens);
    list.shared.push_back(shared);
    shared = next;
  }
  return list;
}

/// Where a segment ends (a depth in tokens), and the first leaf that is not below it.
struct Extent {
  std::size_t end;
  std::size_t leaf_end;
};

/// For each leaf the extents of the segments that begin with it, from the root downwards.
///
/// A later leaf j branches off leaf i's way at min(shared[i+1..j]). Going from the last leaf to the first, `branches`
/// holds the distinct values of that running minimum (deepest last), each with the first leaf at which it is reached;
/// those deeper than shared[i] cut the tokens that leaf i adds. A segment that ends at one of these values is left by
/// the first leaf that branches off above its end, which is the leaf of the next lower value.
std::vector<std::vector<Extent>> find_extents(const LeafList& leaves) {
  const auto count = leaves.paths.size();
  std::vector<std::vector<Extent>> extents(count);
  std::vector<Extent> branches = {{0, count}};
  for (std::size_t i = count; i-- > 0;) {
    auto& own = extents[i];
    own.push_back({leaves.paths[i]->size(), branches.back().leaf_end});
    while (branches.back().end > leaves.shared[i]) {
      const auto depth = branches.back().end;
      branches.pop_back();
      own.push_back({depth, branches.back().leaf_end});
    }
    std::reverse(own.begin(), own.end());
    if (branches.back().end == leaves.shared[i]) branches.pop_back();
    branches.push_back({leaves.shared[i], i});
  }
  return extents;
}

/// Adds what leaf `leaf` has beyond `begin`, cut into `extents`, below segment `parent`.
void add_leaf(PrefixTree& tree, const Tokens& tokens, std::size_t parent, std::size_t begin,
              const std::vector<Extent>& extents) {
  const auto leaf = tree.leaves.size();
  for (const auto& [end, leaf_end] : extents) {
    const auto at = [&](std::size_t position) { return tokens.begin() + static_cast<std::ptrdiff_t>(position); };
    tree.segments.push_back({parent, begin, Tokens(at(begin), at(end)), leaf, leaf_end, {}});
    parent = tree.segments.size() - 1;
    begin = end;
  }
  tree.leaves.push_back(parent);
}

/// The segment of the way up from `segment` that ends at `depth`; none at depth 0.
std::size_t ancestor_ending_at(const PrefixTree& tree, std::size_t segment, std::size_t depth) {
  while (segment != kNoSegment && tree.segments[segment].end() > depth) segment = tree.segments[segment].parent;
  return segment;
}

void add_rows(PrefixTree& tree, std::span<const TokenPath> paths) {
  for (std::size_t path = 0; path < paths.size(); ++path) {
    for (const auto& [segment, offset] : rows_of_path(tree, tree.leaf_of_path[path], paths[path].rows)) {
      tree.segments[segment].rows.push_back(offset);
    }
  }
  for (auto& segment : tree.segments) {
    std::sort(segment.rows.begin(), segment.rows.end());
    segment.rows.erase(std::unique(segment.rows.begin(), segment.rows.end()), segment.rows.end());
  }
}

// ---- cutting

/// What cutting asks of a tree, leaf by leaf.
struct Boundaries {
  std::vector<std::size_t> first_segment;  // that begins with the leaf; one more entry for the end of all leaves
  std::vector<std::size_t> depth;          // tokens that the leaf shares with the one before; 0 at both ends
  std::vector<std::size_t> above;          // segments that end at or above that depth on the leaf's way
  std::vector<std::vector<std::size_t>> closed;  // segments that the leaf before was the last one below
};

Boundaries find_boundaries(const PrefixTree& tree) {
  const auto count = tree.leaves.size();
  Boundaries found{std::vector<std::size_t>(count + 1, tree.segments.size()), std::vector<std::size_t>(count + 1, 0),
                   std::vector<std::size_t>(count + 1, 0), std::vector<std::vector<std::size_t>>(count + 1)};
  std::vector<std::size_t> level(tree.segments.size(), 0);
  for (std::size_t i = 0; i < tree.segments.size(); ++i) {
    const auto& segment = tree.segments[i];
    if (segment.parent != kNoSegment) level[i] = level[segment.parent] + 1;
    found.closed[segment.leaf_end].push_back(i);
    if (found.first_segment[segment.first_leaf] != tree.segments.size()) continue;
    found.first_segment[segment.first_leaf] = i;
    found.depth[segment.first_leaf] = segment.begin;
    found.above[segment.first_leaf] = level[i];
  }
  return found;
}

/// Sums over the run of leaves [first, end) while `end` moves on. All but the spine's depth can only grow with the run.
struct Run {
  std::size_t end;
  std::size_t body = 0;     // tokens of segments wholly inside
  std::size_t rows = 0;     // on these segments
  std::size_t context = 0;  // tokens of all segments with a leaf inside: body and spine
};

void extend(Run& run, const PrefixTree& tree, const Boundaries& at, std::size_t first) {
  const auto leaf = run.end++;
  if (leaf == first) {
    run.context = tree.segments[tree.leaves[leaf]].end();
  } else {
    for (auto i = at.first_segment[leaf]; i < at.first_segment[run.end]; ++i) {
      run.context += tree.segments[i].tokens.size();
    }
  }
  for (const auto i : at.closed[run.end]) {
    if (tree.segments[i].first_leaf < first) continue;  // on the spine: some of its leaves were in earlier groups
    run.body += tree.segments[i].tokens.size();
    run.rows += tree.segments[i].rows.size();
  }
}

bool fits(const Run& run, const TreeLimits& limits) {
  return run.body <= limits.body && run.rows <= limits.rows && run.context <= limits.context;
}

/// Segments of the spine of [first, end). Those that were entered before the run and those that go on after it both lie
/// on the way to leaf `first` (see cut_into_groups), so the deeper boundary counts.
std::size_t spine_depth(const Boundaries& at, std::size_t first, std::size_t end) {
  return std::max(at.above[first], at.above[end]);
}

tl::unexpected<Error> too_long(std::size_t length, const TreeLimits& limits) {
  return fail(ErrorCode::kUnsupported,
              "a prompt with its option takes {} tokens, the context holds {}: choose a larger context or shorten the "
              "conversation",
              length, limits.context);
}

tl::unexpected<Error> too_deep(std::size_t depth, const TreeLimits& limits) {
  return fail(ErrorCode::kUnsupported,
              "prompts that share their beginnings branch {} levels deep, which takes {} sequences, the limit is {}: "
              "allow more sequences",
              depth, depth + 1, limits.sequences);
}

/// Where the group that starts with leaf `first` ends.
Result<std::size_t> close_group(const PrefixTree& tree, const Boundaries& at, const TreeLimits& limits,
                                std::size_t first) {
  const auto count = tree.leaves.size();
  Run run{first};
  std::size_t best = first;  // none yet
  while (run.end < count) {
    extend(run, tree, at, first);
    const bool single = run.end == first + 1;
    if (single && run.context > limits.context) return too_long(run.context, limits);
    const auto leaves = run.end - first;
    if (leaves + at.above[first] > limits.sequences || (!single && !fits(run, limits))) break;
    const bool allowed = leaves + spine_depth(at, first, run.end) <= limits.sequences;
    if (allowed && (best == first || at.depth[run.end] <= at.depth[best])) best = run.end;
    if (single && !fits(run, limits)) break;  // too long for one micro-batch: alone
  }
  if (best == first) return too_deep(spine_depth(at, first, first + 1), limits);
  return best;
}

TreeGroup make_group(const PrefixTree& tree, const Boundaries& at, std::size_t first, std::size_t end) {
  TreeGroup group{first, end, {}, {}};
  const auto depth = std::max(at.depth[first], at.depth[end]);
  auto segment = ancestor_ending_at(tree, tree.leaves[first], depth);
  for (; segment != kNoSegment; segment = tree.segments[segment].parent) group.spine.push_back(segment);
  std::reverse(group.spine.begin(), group.spine.end());
  for (auto i = at.first_segment[first]; i < at.first_segment[end]; ++i) {
    if (tree.segments[i].leaf_end <= end) group.body.push_back(i);
  }
  return group;
}

}  // namespace

std::size_t PrefixTree::tokens() const {
  return std::accumulate(segments.begin(), segments.end(), std::size_t{0},
                         [](std::size_t sum, const Segment& segment) { return sum + segment.tokens.size(); });
}

PrefixTree build_prefix_tree(std::span<const TokenPath> paths) {
  const auto leaves = find_leaves(paths);
  const auto extents = find_extents(leaves);
  PrefixTree tree{{}, {}, leaves.leaf_of_path};
  for (std::size_t leaf = 0; leaf < leaves.paths.size(); ++leaf) {
    const auto shared = leaves.shared[leaf];
    const auto parent = leaf == 0 ? kNoSegment : ancestor_ending_at(tree, tree.leaves[leaf - 1], shared);
    add_leaf(tree, *leaves.paths[leaf], parent, shared, extents[leaf]);
  }
  add_rows(tree, paths);
  return tree;
}

std::vector<RowPlace> rows_of_path(const PrefixTree& tree, std::size_t leaf, std::span<const std::size_t> rows) {
  std::vector<RowPlace> places(rows.size());
  auto segment = tree.leaves[leaf];
  for (std::size_t i = rows.size(); i-- > 0;) {
    while (tree.segments[segment].begin > rows[i]) segment = tree.segments[segment].parent;
    places[i] = {segment, rows[i] - tree.segments[segment].begin};
  }
  return places;
}

// Why the spine is one stack. Let the group [a, c) be closed at c, the shallowest boundary of the run that fits, and
// let d(j) be the number of tokens that leaves j-1 and j share.
//  1. Every boundary inside [a, c) is at least as deep as c: one that was shallower would have been allowed too (fewer
//     leaves, a subset of the body, no deeper a spine) and taken instead.
//  2. A segment that goes on after c is shared by leaves c-1 and c, so it ends at or above depth d(c). By 1 all leaves
//     of [a, c) share their first d(c) tokens, so it is an ancestor of all of them, leaf a among them.
//  3. A segment entered before a and needed in the group is shared by leaves a-1 and a: an ancestor of leaf a.
//  4. So the spine is a part of the way to leaf a; with a segment it holds all above it, hence it is the chain of the
//     segments that end at or above max(d(a), d(c)). The next group starts at c with the chain down to d(c) in memory:
//     a beginning of this spine and of its own. What is above that on the stack has no further leaf and is popped.
Result<std::vector<TreeGroup>> cut_into_groups(const PrefixTree& tree, const TreeLimits& limits) {
  const auto at = find_boundaries(tree);
  std::vector<TreeGroup> groups;
  for (std::size_t first = 0; first < tree.leaves.size();) {
    VALENCE_TRY(const auto end, close_group(tree, at, limits, first));
    groups.push_back(make_group(tree, at, first, end));
    first = end;
  }
  return groups;
}

std::size_t group_of_leaf(std::span<const TreeGroup> groups, std::size_t leaf) {
  const auto after =
      std::upper_bound(groups.begin(), groups.end(), leaf,
                       [](std::size_t value, const TreeGroup& group) { return value < group.first_leaf; });
  return static_cast<std::size_t>(after - groups.begin()) - 1;
}

}  // namespace valence
