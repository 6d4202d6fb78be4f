#include "tree_batch.h"

#include <algorithm>
#include <optional>

#include "valence/model/prefix_tree.h"

namespace valence {
namespace {

constexpr std::size_t kPiece = 128;  // queries of a long run that are put to only the keys before their end

Result<void> check_path(const TrainingPath& path, std::size_t group, std::size_t index) {
  const auto where = [&] { return fmt::format("group {}, path {}", group + 1, index + 1); };
  if (path.tokens.empty()) return fail(ErrorCode::kInvalid, "{}: it has no tokens", where());
  if (path.targets.empty() && !path.whole) {
    return fail(ErrorCode::kInvalid, "{}: it has no targets, so there is nothing to learn from it", where());
  }
  for (std::size_t i = 0; i < path.targets.size(); ++i) {
    const auto target = path.targets[i];
    if (target < 1 || target >= path.tokens.size() || (i > 0 && target <= path.targets[i - 1])) {
      return fail(ErrorCode::kInvalid, "{}: target {} is not above the one before and within 1 to {}", where(), target,
                  path.tokens.size() - 1);
    }
  }
  return {};
}

/// What must be computed of a path, and the rows that are read.
TokenPath computed_part(const TrainingPath& path) {
  const auto length = path.whole ? path.tokens.size() : path.targets.back();
  TokenPath part{{path.tokens.begin(), path.tokens.begin() + static_cast<std::ptrdiff_t>(length)}, {}};
  for (const auto target : path.targets) part.rows.push_back(target - 1);
  if (path.whole && (part.rows.empty() || part.rows.back() + 1 < length)) part.rows.push_back(length - 1);
  return part;
}

// ---- attention blocks

/// Adds a range to increasing ranges, joined where they touch or overlap.
void add_range(std::vector<TokenRange>& ranges, TokenRange added) {
  ranges.push_back(added);
  std::ranges::sort(ranges, {}, &TokenRange::begin);
  std::vector<TokenRange> joined;
  for (const auto& range : ranges) {
    if (!joined.empty() && range.begin <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, range.end);
    } else {
      joined.push_back(range);
    }
  }
  ranges = std::move(joined);
}

std::size_t products(const AttentionBlock& block) { return block.queries.size() * block.key_count(); }

AttentionBlock joined(const AttentionBlock& a, const AttentionBlock& b) {
  AttentionBlock both{{a.queries.begin, b.queries.end}, a.keys};
  for (const auto& range : b.keys) add_range(both.keys, range);
  add_range(both.keys, both.queries);
  return both;
}

void add_block(std::vector<AttentionBlock>& blocks, AttentionBlock next, std::size_t join_below) {
  if (!blocks.empty()) {
    auto both = joined(blocks.back(), next);
    if (products(both) < products(blocks.back()) + products(next) + join_below) {
      blocks.back() = std::move(both);
      return;
    }
  }
  blocks.push_back(std::move(next));
}

/// `before`: what the run's ancestors are.
void add_run(std::vector<AttentionBlock>& blocks, const std::vector<TokenRange>& before, TokenRange run,
             std::size_t join_below) {
  for (auto begin = run.begin; begin < run.end; begin += kPiece) {
    const auto end = std::min(begin + kPiece, run.end);
    AttentionBlock block{{begin, end}, before};
    add_range(block.keys, {run.begin, end});
    add_block(blocks, std::move(block), join_below);
  }
}

// ---- one pack

std::vector<TokenRange> ancestors_of(const PrefixTree& tree, std::span<const std::size_t> first, std::size_t segment) {
  std::vector<TokenRange> ranges;
  for (auto s = tree.segments[segment].parent; s != kNoSegment; s = tree.segments[s].parent) {
    add_range(ranges, {first[s], first[s] + tree.segments[s].tokens.size()});
  }
  return ranges;
}

/// Segments are in pre-order, so a token's descendants are what follows it in its segment and the segments of its
/// leaves.
void lay_out_tokens(const PrefixTree& tree, std::span<const std::size_t> first, TreePack& pack) {
  for (std::size_t s = 0; s < tree.segments.size(); ++s) {
    const auto& segment = tree.segments[s];
    auto next = s + 1;
    while (next < tree.segments.size() && tree.segments[next].first_leaf < segment.leaf_end) ++next;
    const auto end = next < tree.segments.size() ? first[next] : first.back();
    for (std::size_t i = 0; i < segment.tokens.size(); ++i) {
      const auto above =
          segment.parent == kNoSegment
              ? TreePack::kRoot
              : static_cast<std::uint32_t>(first[segment.parent] + tree.segments[segment.parent].tokens.size() - 1);
      pack.tokens.push_back(segment.tokens[i]);
      pack.positions.push_back(static_cast<std::int32_t>(segment.begin + i));
      pack.parents.push_back(i == 0 ? above : static_cast<std::uint32_t>(first[s] + i - 1));
      pack.subtree_end.push_back(static_cast<std::uint32_t>(end));
    }
  }
}

/// The pack's token of every segment's first token, then the number of tokens.
std::vector<std::size_t> first_tokens(const PrefixTree& tree) {
  std::vector<std::size_t> first{0};
  for (const auto& segment : tree.segments) first.push_back(first.back() + segment.tokens.size());
  return first;
}

/// Groups `begin` to `end` of all, whose computed parts are `parts`.
TreePack make_pack(std::span<const PathGroup> groups, std::size_t begin, std::size_t end,
                   std::span<const TokenPath> parts, const PackLimits& limits) {
  const auto tree = build_prefix_tree(parts);
  const auto first = first_tokens(tree);
  TreePack pack;
  lay_out_tokens(tree, first, pack);
  for (std::size_t s = 0; s < tree.segments.size(); ++s) {
    add_run(pack.blocks, ancestors_of(tree, first, s), {first[s], first[s + 1]}, limits.join_below);
  }
  for (std::size_t g = begin, part = 0; g < end; ++g) {
    for (std::size_t p = 0; p < groups[g].paths.size(); ++p, ++part) {
      const auto& path = groups[g].paths[p];
      const auto places = rows_of_path(tree, tree.leaf_of_path[part], parts[part].rows);
      const auto token = [&](std::size_t row) { return first[places[row].segment] + places[row].offset; };
      for (std::size_t i = 0; i < path.targets.size(); ++i) {
        pack.losses.push_back({token(i), path.tokens[path.targets[i]], pack.paths.size(), path.targets[i]});
      }
      pack.paths.push_back({g, p, token(places.size() - 1)});
    }
  }
  return pack;
}

}  // namespace

std::size_t AttentionBlock::key_count() const {
  std::size_t count = 0;
  for (const auto& range : keys) count += range.size();
  return count;
}

Result<std::vector<TreePack>> pack_trees(std::span<const PathGroup> groups, const PackLimits& limits) {
  std::vector<TreePack> packs;
  std::vector<TokenPath> parts;
  std::size_t begin = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<TokenPath> own;
    for (std::size_t p = 0; p < groups[g].paths.size(); ++p) {
      VALENCE_CHECK(check_path(groups[g].paths[p], g, p));
      own.push_back(computed_part(groups[g].paths[p]));
    }
    const auto alone = build_prefix_tree(own).tokens();
    if (alone > limits.tokens) {
      return fail(ErrorCode::kUsage,
                  "group {} needs {} tokens at once; the limit is {}. Raise the limit or shorten its texts", g + 1,
                  alone, limits.tokens);
    }
    const auto held = parts.size();
    parts.insert(parts.end(), own.begin(), own.end());
    if (held > 0 && build_prefix_tree(parts).tokens() > limits.tokens) {
      packs.push_back(make_pack(groups, begin, g, std::span(parts).first(held), limits));
      parts = std::move(own);
      begin = g;
    }
  }
  if (!parts.empty()) packs.push_back(make_pack(groups, begin, groups.size(), parts, limits));
  return packs;
}

double sharing_factor(std::span<const PathGroup> groups, std::span<const TreePack> packs) {
  std::size_t given = 0, computed = 0;
  for (const auto& group : groups) {
    for (const auto& path : group.paths) given += path.tokens.size();
  }
  for (const auto& pack : packs) computed += pack.tokens.size();
  return computed == 0 ? 1.0 : static_cast<double>(given) / static_cast<double>(computed);
}

}  // namespace valence
