#include "llama_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace valence {
namespace {

using Tokens = std::vector<TokenId>;

bool begins(std::span<const TokenId> prefix, std::span<const TokenId> tokens) {
  return prefix.size() <= tokens.size() && std::equal(prefix.begin(), prefix.end(), tokens.begin());
}

/// Requests that are kept together: one request, or some with the same context.
struct Family {
  std::vector<std::size_t> scores;
  bool forked = false;
};

std::vector<std::size_t> in_token_order(std::span<const TokenScore> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    if (scores[a].context != scores[b].context) return scores[a].context < scores[b].context;
    return *std::ranges::min_element(scores[a].continuations) < *std::ranges::min_element(scores[b].continuations);
  });
  return order;
}

/// Leaves and tokens that a request adds below its context, at most.
std::pair<std::size_t, std::size_t> weight(const TokenScore& score) {
  std::pair<std::size_t, std::size_t> sum{0, 0};
  for (const auto& tokens : score.continuations) {
    if (tokens.size() > 1) sum.first += 1, sum.second += tokens.size() - 1 + score.terminator.size();
  }
  return sum;
}

/// Consecutive requests with equal contexts, as many as one decode is likely to hold.
std::vector<Family> make_families(std::span<const TokenScore> scores, const TreeLimits& limits, Sharing sharing) {
  std::vector<Family> families;
  std::pair<std::size_t, std::size_t> sum{0, 0};
  for (const auto score : in_token_order(scores)) {
    const auto own = weight(scores[score]);
    const bool same = !families.empty() && scores[families.back().scores.back()].context == scores[score].context;
    const bool fits = sum.first + own.first <= limits.sequences / 2 && sum.second + own.second <= limits.body / 2;
    if (same && fits && sharing == Sharing::kTree) {
      families.back().scores.push_back(score);
      sum = {sum.first + own.first, sum.second + own.second};
    } else {
      families.push_back({{score}, false});
      sum = own;
    }
  }
  for (std::size_t i = 0; i + 1 < families.size(); ++i) {
    const auto& context = scores[families[i].scores.front()].context;
    const auto& next = scores[families[i + 1].scores.front()].context;
    if (!begins(context, next)) continue;
    families[i].forked = true;
    if (context == next) families[i + 1].forked = true;
  }
  return families;
}

/// A path and what is read along it: the reads' rows are `context - 1` onwards, past the fork if there is one.
struct ReadPath {
  std::size_t score, continuation;
  std::size_t path;    ///< index into the paths
  std::size_t tokens, terminator;
};

struct Paths {
  std::vector<TokenPath> paths;
  std::vector<std::size_t> family_of_path;
  std::vector<ReadPath> reads;
};

std::size_t row_of(std::size_t context, std::size_t index, bool fork_after, bool fork_before) {
  return context - 1 + index + (fork_before || (fork_after && index > 0) ? 1 : 0);
}

/// Adds the paths of one family. One-token continuations read the context's last row on any path of the family.
void add_family(Paths& out, std::span<const TokenScore> scores, const Family& family, std::size_t number,
                Sharing sharing) {
  const auto fork = std::numeric_limits<TokenId>::min() + static_cast<TokenId>(number);
  const bool before = sharing == Sharing::kRequest;
  const bool after = family.forked && !before;
  const auto first_path = out.paths.size();
  std::vector<ReadPath> short_ones;
  const auto add_path = [&](const TokenScore& score, std::span<const TokenId> beyond) {
    TokenPath path;
    if (before) path.tokens.push_back(fork);
    path.tokens.insert(path.tokens.end(), score.context.begin(), score.context.end());
    if (after && !beyond.empty()) path.tokens.push_back(fork);
    path.tokens.insert(path.tokens.end(), beyond.begin(), beyond.end());
    for (std::size_t i = 0; i <= beyond.size(); ++i) path.rows.push_back(row_of(score.context.size(), i, after, before));
    out.paths.push_back(std::move(path));
    out.family_of_path.push_back(number);
    return out.paths.size() - 1;
  };
  for (const auto index : family.scores) {
    const auto& score = scores[index];
    for (std::size_t k = 0; k < score.continuations.size(); ++k) {
      auto read = score.continuations[k];
      const auto tokens = read.size();
      if (begins_another(read, score.continuations)) read.insert(read.end(), score.terminator.begin(), score.terminator.end());
      ReadPath place{index, k, 0, tokens, read.size() - tokens};
      if (read.size() == 1) {
        short_ones.push_back(place);
        continue;
      }
      place.path = add_path(score, std::span(read).first(read.size() - 1));
      out.reads.push_back(place);
    }
  }
  if (short_ones.empty()) return;
  if (out.paths.size() == first_path) add_path(scores[family.scores.front()], {});
  for (auto& place : short_ones) {
    place.path = first_path;
    out.reads.push_back(place);
  }
}

/// The longest path of the same family that begins with path `p`; itself when there is none longer.
std::size_t home_of(const Paths& paths, std::size_t p) {
  std::size_t home = p;
  for (std::size_t q = 0; q < paths.paths.size(); ++q) {
    if (paths.family_of_path[q] != paths.family_of_path[p]) continue;
    const auto &candidate = paths.paths[q].tokens, &best = paths.paths[home].tokens;
    const bool better = candidate.size() > best.size() || (candidate.size() == best.size() && q < home);
    if (better && begins(paths.paths[p].tokens, candidate)) home = q;
  }
  return home;
}

/// Without sharing every path that is no beginning of another one of its request is a root of its own.
PrefixTree separate_paths(const Paths& paths) {
  PrefixTree tree;
  std::vector<std::size_t> home(paths.paths.size()), leaf(paths.paths.size());
  for (std::size_t p = 0; p < home.size(); ++p) {
    home[p] = home_of(paths, p);
    if (home[p] != p) continue;
    leaf[p] = tree.leaves.size();
    tree.segments.push_back({kNoSegment, 0, paths.paths[p].tokens, leaf[p], leaf[p] + 1, {}});
    tree.leaves.push_back(leaf[p]);
  }
  for (const auto path : home) tree.leaf_of_path.push_back(leaf[path]);
  return tree;
}

std::vector<TreeGroup> one_leaf_each(const PrefixTree& tree) {
  std::vector<TreeGroup> groups;
  for (std::size_t leaf = 0; leaf < tree.leaves.size(); ++leaf) groups.push_back({leaf, leaf + 1, {}, {leaf}});
  return groups;
}

/// Segments on the longest way from a root to a leaf.
std::size_t depth_of(const PrefixTree& tree) {
  std::size_t deepest = 0;
  std::vector<std::size_t> depth(tree.segments.size(), 1);
  for (std::size_t i = 0; i < depth.size(); ++i) {
    if (tree.segments[i].parent != kNoSegment) depth[i] = depth[tree.segments[i].parent] + 1;
    deepest = std::max(deepest, depth[i]);
  }
  return deepest;
}

/// Finds the places of all reads in the tree as it was cut, forks included.
void place_reads(ScoreLayout& layout, std::span<const TokenScore> scores, const Paths& paths) {
  layout.places.resize(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) layout.places[i].resize(scores[i].continuations.size());
  for (const auto& read : paths.reads) {
    const auto& score = scores[read.score];
    auto tokens = score.continuations[read.continuation];
    if (read.terminator > 0) tokens.insert(tokens.end(), score.terminator.begin(), score.terminator.end());
    const auto rows = std::span(paths.paths[read.path].rows).first(tokens.size());
    const auto places = rows_of_path(layout.tree, layout.tree.leaf_of_path[read.path], rows);
    layout.places[read.score][read.continuation] = {layout.reads.size(), read.tokens, read.terminator};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      layout.reads.push_back({places[i].segment, places[i].offset, tokens[i]});
    }
  }
}

/// Takes the forks out of the segments, their positions and the reads; then only what is read is a row.
void erase_forks(ScoreLayout& layout) {
  auto& segments = layout.tree.segments;
  constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> fork(segments.size(), kNone), forks_until(segments.size(), 0);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    auto& segment = segments[i];
    const auto above = segment.parent == kNoSegment ? 0 : forks_until[segment.parent];
    const auto found = std::ranges::find_if(segment.tokens, [](TokenId token) { return token < 0; });
    segment.begin -= above;
    forks_until[i] = above;
    segment.rows.clear();
    if (found == segment.tokens.end()) continue;
    fork[i] = static_cast<std::size_t>(found - segment.tokens.begin());
    segment.tokens.erase(found);
    ++forks_until[i];
  }
  for (auto& read : layout.reads) {
    if (fork[read.segment] != kNone && read.offset > fork[read.segment]) --read.offset;
    segments[read.segment].rows.push_back(read.offset);
  }
  for (auto& segment : segments) {
    std::ranges::sort(segment.rows);
    const auto repeated = std::ranges::unique(segment.rows);
    segment.rows.erase(repeated.begin(), repeated.end());
  }
}

/// Families whose decodes overlap become one unit; decodes are in order, so a sweep finds them.
void find_units(ScoreLayout& layout, const std::vector<Family>& families, const Paths& paths) {
  struct Range {
    std::size_t first, last, family;
  };
  std::vector<Range> ranges(families.size(), {std::numeric_limits<std::size_t>::max(), 0, 0});
  for (std::size_t p = 0; p < paths.paths.size(); ++p) {
    const auto decode = group_of_leaf(layout.decodes, layout.tree.leaf_of_path[p]);
    auto& range = ranges[paths.family_of_path[p]];
    range = {std::min(range.first, decode), std::max(range.last, decode), paths.family_of_path[p]};
  }
  std::ranges::sort(ranges, {}, &Range::first);
  for (const auto& range : ranges) {
    if (layout.units.empty() || range.first >= layout.units.back().decode_end) {
      layout.units.push_back({range.first, range.last + 1, {}});
    }
    auto& unit = layout.units.back();
    unit.decode_end = std::max(unit.decode_end, range.last + 1);
    unit.scores.insert(unit.scores.end(), families[range.family].scores.begin(), families[range.family].scores.end());
  }
  for (auto& unit : layout.units) std::ranges::sort(unit.scores);
}

}  // namespace

bool begins_another(std::span<const TokenId> tokens, std::span<const Tokens> all) {
  return std::ranges::any_of(all, [&](const Tokens& other) { return other.size() > tokens.size() && begins(tokens, other); });
}

Result<ScoreLayout> lay_out_scores(std::span<const TokenScore> scores, const TreeLimits& limits, Sharing sharing) {
  ScoreLayout layout;
  if (scores.empty()) return layout;
  const auto families = make_families(scores, limits, sharing);
  Paths paths;
  for (std::size_t i = 0; i < families.size(); ++i) add_family(paths, scores, families[i], i, sharing);
  if (sharing == Sharing::kNone) {
    layout.tree = separate_paths(paths);
    layout.decodes = one_leaf_each(layout.tree);
  } else {
    layout.tree = build_prefix_tree(paths.paths);
    auto enough = limits;
    enough.sequences = std::max(limits.sequences, depth_of(layout.tree) + 1);
    VALENCE_TRY(layout.decodes, cut_into_groups(layout.tree, enough));
  }
  place_reads(layout, scores, paths);
  erase_forks(layout);
  find_units(layout, families, paths);
  return layout;
}

}  // namespace valence
