// RC_ASSERT takes its expression apart, so && and || inside need parentheses of their own to stay short-circuiting.
#include "valence/model/prefix_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

namespace valence {
namespace {

using Tokens = std::vector<TokenId>;

TokenPath path_of(Tokens tokens) {
  const auto last = tokens.size() - 1;
  return {std::move(tokens), {last}};
}

std::vector<Tokens> distinct_prefixes(const std::vector<TokenPath>& paths) {
  std::set<Tokens> prefixes;
  for (const auto& path : paths) {
    for (std::size_t n = 1; n <= path.tokens.size(); ++n) {
      prefixes.insert(Tokens(path.tokens.begin(), path.tokens.begin() + static_cast<std::ptrdiff_t>(n)));
    }
  }
  return {prefixes.begin(), prefixes.end()};
}

/// Tokens from the root to the end of a segment.
Tokens spelled(const PrefixTree& tree, std::size_t segment) {
  Tokens tokens;
  for (; segment != kNoSegment; segment = tree.segments[segment].parent) {
    const auto& own = tree.segments[segment].tokens;
    tokens.insert(tokens.begin(), own.begin(), own.end());
  }
  return tokens;
}

std::vector<std::size_t> chain_of(const PrefixTree& tree, std::size_t leaf) {
  std::vector<std::size_t> chain;
  for (auto s = tree.leaves[leaf]; s != kNoSegment; s = tree.segments[s].parent) chain.insert(chain.begin(), s);
  return chain;
}

bool starts_with(const Tokens& whole, const Tokens& part) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

std::size_t tokens_in(const PrefixTree& tree, const std::vector<std::size_t>& segments) {
  return std::accumulate(segments.begin(), segments.end(), std::size_t{0},
                         [&](std::size_t sum, std::size_t s) { return sum + tree.segments[s].tokens.size(); });
}

std::size_t rows_in(const PrefixTree& tree, const std::vector<std::size_t>& segments) {
  return std::accumulate(segments.begin(), segments.end(), std::size_t{0},
                         [&](std::size_t sum, std::size_t s) { return sum + tree.segments[s].rows.size(); });
}

/// Few letters and short lengths, so that paths share, prefix and repeat one another.
std::vector<TokenPath> random_paths() {
  const auto letters = *rc::gen::inRange<TokenId>(1, 4);
  const auto path = rc::gen::map(
      rc::gen::pair(rc::gen::nonEmpty(rc::gen::container<Tokens>(rc::gen::inRange<TokenId>(0, letters))),
                    rc::gen::arbitrary<unsigned>()),
      [](const std::pair<Tokens, unsigned>& drawn) {
        TokenPath made{drawn.first, {}};
        for (std::size_t i = 0; i < made.tokens.size(); ++i) {
          if ((drawn.second >> (i % 32) & 1U) != 0) made.rows.push_back(i);
        }
        return made;
      });
  return *rc::gen::container<std::vector<TokenPath>>(path);
}

TreeLimits random_limits() {
  TreeLimits limits;
  limits.body = *rc::gen::inRange<std::size_t>(1, 200);
  limits.sequences = *rc::gen::inRange<std::size_t>(4, 20);
  limits.rows = *rc::gen::inRange<std::size_t>(1, 100);
  limits.context = *rc::gen::inRange<std::size_t>(90, 400);
  return limits;
}

// ---- building

TEST(PrefixTree, SplitsWherePathsPart) {
  const std::vector<TokenPath> paths = {{{1, 2, 3, 4}, {1, 3}}, {{1, 2, 5}, {1, 2}}};
  const auto tree = build_prefix_tree(paths);
  ASSERT_EQ(tree.segments.size(), 3U);
  EXPECT_EQ(tree.segments[0].tokens, (Tokens{1, 2}));
  EXPECT_EQ(tree.segments[0].parent, kNoSegment);
  EXPECT_EQ(tree.segments[0].leaf_end, 2U);
  EXPECT_EQ(tree.segments[0].rows, (std::vector<std::size_t>{1}));
  EXPECT_EQ(tree.segments[1].tokens, (Tokens{3, 4}));
  EXPECT_EQ(tree.segments[1].parent, 0U);
  EXPECT_EQ(tree.segments[1].begin, 2U);
  EXPECT_EQ(tree.segments[1].rows, (std::vector<std::size_t>{1}));
  EXPECT_EQ(tree.segments[2].tokens, (Tokens{5}));
  EXPECT_EQ(tree.leaf_of_path, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(tree.tokens(), 5U);
}

TEST(PrefixTree, APrefixOfAnotherPathAddsRowsOnly) {
  const std::vector<TokenPath> paths = {{{7, 8, 9}, {2}}, {{7, 8}, {0, 1}}, {{7, 8, 9}, {1}}};
  const auto tree = build_prefix_tree(paths);
  ASSERT_EQ(tree.segments.size(), 1U);
  EXPECT_EQ(tree.leaves.size(), 1U);
  EXPECT_EQ(tree.segments[0].rows, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(tree.leaf_of_path, (std::vector<std::size_t>{0, 0, 0}));
}

TEST(PrefixTree, NothingGivesNothing) {
  const auto tree = build_prefix_tree({});
  EXPECT_EQ(tree.tokens(), 0U);
  const auto groups = cut_into_groups(tree, {});
  ASSERT_TRUE(groups);
  EXPECT_TRUE(groups->empty());
}

RC_GTEST_PROP(PrefixTree, HasOneTokenPerDistinctPrefix, ()) {
  const auto paths = random_paths();
  RC_ASSERT(build_prefix_tree(paths).tokens() == distinct_prefixes(paths).size());
}

RC_GTEST_PROP(PrefixTree, EveryPathIsSpelledOnTheWayToItsLeafAndItsRowsAreFound, ()) {
  const auto paths = random_paths();
  const auto tree = build_prefix_tree(paths);
  for (std::size_t p = 0; p < paths.size(); ++p) {
    const auto leaf = tree.leaf_of_path[p];
    RC_ASSERT(starts_with(spelled(tree, tree.leaves[leaf]), paths[p].tokens));
    RC_ASSERT((leaf == 0 || !starts_with(spelled(tree, tree.leaves[leaf - 1]), paths[p].tokens)));
    const auto places = rows_of_path(tree, leaf, paths[p].rows);
    RC_ASSERT(places.size() == paths[p].rows.size());
    for (std::size_t r = 0; r < places.size(); ++r) {
      const auto& segment = tree.segments[places[r].segment];
      RC_ASSERT(segment.begin + places[r].offset == paths[p].rows[r]);
      RC_ASSERT(std::binary_search(segment.rows.begin(), segment.rows.end(), places[r].offset));
      RC_ASSERT((segment.first_leaf <= leaf && leaf < segment.leaf_end));
    }
  }
}

RC_GTEST_PROP(PrefixTree, HasTheRowsThatWereAskedForAndNoOthers, ()) {
  const auto paths = random_paths();
  const auto tree = build_prefix_tree(paths);
  std::set<Tokens> asked;
  for (const auto& path : paths) {
    for (const auto row : path.rows) {
      asked.insert(Tokens(path.tokens.begin(), path.tokens.begin() + static_cast<std::ptrdiff_t>(row) + 1));
    }
  }
  std::size_t rows = 0;
  for (const auto& segment : tree.segments) rows += segment.rows.size();
  RC_ASSERT(rows == asked.size());
}

RC_GTEST_PROP(PrefixTree, IsInPreOrderAndBranchesAtEverySegmentsEnd, ()) {
  const auto tree = build_prefix_tree(random_paths());
  std::vector<std::size_t> children(tree.segments.size(), 0);
  for (std::size_t i = 0; i < tree.segments.size(); ++i) {
    const auto& segment = tree.segments[i];
    RC_ASSERT(!segment.tokens.empty());
    const auto parent = segment.parent;
    RC_ASSERT(segment.begin == (parent == kNoSegment ? 0 : tree.segments[parent].end()));
    if (parent == kNoSegment) continue;
    RC_ASSERT(parent < i);
    RC_ASSERT(tree.segments[parent].first_leaf <= segment.first_leaf);
    RC_ASSERT(segment.leaf_end <= tree.segments[parent].leaf_end);
    ++children[parent];
  }
  for (std::size_t i = 0; i < tree.segments.size(); ++i) RC_ASSERT(children[i] != 1);
  std::vector<Tokens> ways;
  for (const auto leaf : tree.leaves) ways.push_back(spelled(tree, leaf));
  RC_ASSERT(std::is_sorted(ways.begin(), ways.end()));
  for (std::size_t i = 0; i < tree.segments.size(); ++i) {
    const auto below = std::count_if(ways.begin(), ways.end(),
                                     [&](const Tokens& way) { return starts_with(way, spelled(tree, i)); });
    RC_ASSERT(static_cast<std::size_t>(below) == tree.segments[i].leaf_end - tree.segments[i].first_leaf);
  }
}

RC_GTEST_PROP(PrefixTree, DependsOnTheSetOfPathsOnly, ()) {
  const auto paths = random_paths();
  auto turned = paths;
  std::reverse(turned.begin(), turned.end());
  if (!paths.empty()) turned.push_back(paths.front());
  const auto a = build_prefix_tree(paths);
  const auto b = build_prefix_tree(turned);
  RC_ASSERT(a.leaves == b.leaves);
  RC_ASSERT(a.segments.size() == b.segments.size());
  for (std::size_t i = 0; i < a.segments.size(); ++i) {
    const auto& left = a.segments[i];
    const auto& right = b.segments[i];
    RC_ASSERT((left.parent == right.parent && left.begin == right.begin && left.tokens == right.tokens));
    RC_ASSERT((left.first_leaf == right.first_leaf && left.leaf_end == right.leaf_end && left.rows == right.rows));
  }
  for (std::size_t p = 0; p < paths.size(); ++p) {
    RC_ASSERT(a.leaf_of_path[p] == b.leaf_of_path[paths.size() - 1 - p]);
  }
}

// ---- cutting

/// The workload of the scoring benchmark: an instruction shared by `items`, an item shared by its options. The last
/// token of an option is scored but never computed.
std::vector<TokenPath> workload(std::size_t items, std::size_t options) {
  constexpr std::size_t kInstruction = 200, kItem = 60, kOption = 8;
  TokenId fresh = 0;
  const auto tokens = [&](std::size_t count) {
    Tokens made(count);
    std::iota(made.begin(), made.end(), fresh);
    fresh += static_cast<TokenId>(count);
    return made;
  };
  const auto joined = [](Tokens a, const Tokens& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  std::vector<TokenPath> paths;
  const auto instruction = tokens(kInstruction);
  for (std::size_t item = 0; item < items; ++item) {
    const auto context = joined(instruction, tokens(kItem));
    for (std::size_t option = 0; option < options; ++option) {
      TokenPath path{joined(context, tokens(kOption - 1)), {}};
      for (auto row = context.size() - 1; row < path.tokens.size(); ++row) path.rows.push_back(row);
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

TEST(PrefixTree, ComputesTheBenchmarkInOneTokenPerPrefix) {
  EXPECT_EQ(build_prefix_tree(workload(12, 4)).tokens(), 1256U);  // 200 + 12·60 + 12·4·7
}

TEST(Groups, AreClosedBetweenItemsNotInsideThem) {
  const auto tree = build_prefix_tree(workload(12, 4));
  const auto groups = cut_into_groups(tree, {});
  ASSERT_TRUE(groups);
  // An item is 60 + 4·7 = 88 tokens, so five fit a body of 512; the instruction is the only spine.
  ASSERT_EQ(groups->size(), 3U);
  EXPECT_EQ((*groups)[0].leaf_end, 20U);
  EXPECT_EQ((*groups)[1].leaf_end, 40U);
  EXPECT_EQ((*groups)[2].leaf_end, 48U);
  for (const auto& group : *groups) EXPECT_EQ(group.spine, (std::vector<std::size_t>{0}));
  EXPECT_EQ(tokens_in(tree, (*groups)[0].body), 440U);
}

TEST(Groups, AllLeavesInOneGroupNeedNoSpine) {
  const auto tree = build_prefix_tree(workload(2, 4));
  const auto groups = cut_into_groups(tree, {});
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 1U);
  EXPECT_TRUE(groups->front().spine.empty());
  EXPECT_EQ(tokens_in(tree, groups->front().body), 376U);
}

TEST(Groups, RowsOfAContextWhoseOptionsAreSplitAreOnTheSpineOfEachPart) {
  const auto paths = workload(1, 100);
  const auto tree = build_prefix_tree(paths);
  const auto groups = cut_into_groups(tree, {});
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 2U);
  EXPECT_EQ(groups->front().leaf_end, 63U);  // 63 leaves and one spine segment are 64 sequences
  const auto context_row = rows_of_path(tree, 0, std::vector<std::size_t>{259}).front();
  EXPECT_EQ(context_row, (RowPlace{0, 259}));
  for (const auto& group : *groups) EXPECT_EQ(group.spine, (std::vector<std::size_t>{context_row.segment}));
}

TEST(Groups, APathTooLongForOneMicroBatchIsAlone) {
  std::vector<TokenPath> paths;
  for (TokenId first = 0; first < 3; ++first) {
    Tokens tokens(first == 1 ? 700 : 10, 9);
    tokens.front() = first;
    paths.push_back(path_of(std::move(tokens)));
  }
  const auto tree = build_prefix_tree(paths);
  const auto groups = cut_into_groups(tree, {});
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 3U);
  EXPECT_EQ(tokens_in(tree, (*groups)[1].body), 700U);
}

TEST(Groups, APathLongerThanTheContextIsRefusedWithTheNumbers) {
  const std::vector<TokenPath> paths = {path_of(Tokens(51, 1)), path_of({2})};
  TreeLimits limits;
  limits.context = 50;
  const auto groups = cut_into_groups(build_prefix_tree(paths), limits);
  ASSERT_FALSE(groups);
  EXPECT_EQ(groups.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(groups.error().message,
            "a prompt with its option takes 51 tokens, the context holds 50: choose a larger context or shorten the "
            "conversation");
}

TEST(Groups, ASpineDeeperThanTheSequencesIsRefusedWithTheNumbers) {
  // A comb: leaf k leaves the common way after k + 1 tokens; the deepest leaves come first.
  std::vector<TokenPath> paths;
  for (std::size_t k = 0; k < 6; ++k) {
    Tokens tokens(k + 1, 1);
    tokens.push_back(2);
    paths.push_back(path_of(std::move(tokens)));
  }
  TreeLimits limits;
  limits.sequences = 3;
  const auto groups = cut_into_groups(build_prefix_tree(paths), limits);
  ASSERT_FALSE(groups);
  EXPECT_EQ(groups.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(groups.error().message,
            "prompts that share their beginnings branch 5 levels deep, which takes 6 sequences, the limit is 3: allow "
            "more sequences");
}

/// What an executor has in memory: the spine segments pushed, from the root downwards.
struct Stack {
  std::vector<std::size_t> segments;
  std::size_t pushed = 0;  // tokens

  void prepare(const PrefixTree& tree, const std::vector<std::size_t>& spine) {
    while (segments.size() > spine.size() || !std::equal(segments.begin(), segments.end(), spine.begin())) {
      segments.pop_back();
    }
    for (auto i = segments.size(); i < spine.size(); ++i) {
      segments.push_back(spine[i]);
      pushed += tree.segments[spine[i]].tokens.size();
    }
  }
};

struct Cut {
  std::vector<TokenPath> paths;
  PrefixTree tree;
  TreeLimits limits;
  std::vector<TreeGroup> groups;
};

std::optional<Cut> random_cut() {
  Cut cut{random_paths(), {}, random_limits(), {}};
  cut.tree = build_prefix_tree(cut.paths);
  auto groups = cut_into_groups(cut.tree, cut.limits);
  RC_CLASSIFY(!groups, "refused");
  if (!groups) return std::nullopt;
  cut.groups = *std::move(groups);
  RC_CLASSIFY(cut.groups.size() > 2, "three groups or more");
  return cut;
}

RC_GTEST_PROP(Groups, PartitionTheLeavesAndKeepTheLimits, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  std::size_t next = 0;
  for (const auto& group : cut->groups) {
    RC_ASSERT((group.first_leaf == next && group.leaf_end > next));
    next = group.leaf_end;
    const auto leaves = group.leaf_end - group.first_leaf;
    const auto body = tokens_in(cut->tree, group.body);
    RC_ASSERT(leaves + group.spine.size() <= cut->limits.sequences);
    RC_ASSERT(tokens_in(cut->tree, group.spine) + body <= cut->limits.context);
    RC_ASSERT((leaves == 1 || body <= cut->limits.body));
    RC_ASSERT((leaves == 1 || rows_in(cut->tree, group.body) <= cut->limits.rows));
  }
  RC_ASSERT(next == cut->tree.leaves.size());
}

RC_GTEST_PROP(Groups, ComputeEachSegmentInOneBodyOrOnTheSpineOfAllThatNeedIt, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  for (std::size_t s = 0; s < cut->tree.segments.size(); ++s) {
    std::size_t bodies = 0, spines = 0, users = 0;
    for (const auto& group : cut->groups) {
      bodies += static_cast<std::size_t>(std::count(group.body.begin(), group.body.end(), s));
      spines += static_cast<std::size_t>(std::count(group.spine.begin(), group.spine.end(), s));
      const auto& segment = cut->tree.segments[s];
      users += segment.first_leaf < group.leaf_end && group.first_leaf < segment.leaf_end ? 1 : 0;
    }
    const bool right = users == 1 ? bodies == 1 && spines == 0 : bodies == 0 && spines == users;
    RC_ASSERT(right);
  }
}

RC_GTEST_PROP(Groups, HaveAChainAsSpineOnTheWayToTheirFirstLeaf, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  for (const auto& group : cut->groups) {
    const auto chain = chain_of(cut->tree, group.first_leaf);
    RC_ASSERT(group.spine.size() <= chain.size());
    RC_ASSERT(std::equal(group.spine.begin(), group.spine.end(), chain.begin()));
    for (const auto s : group.spine) {
      if (cut->tree.segments[s].leaf_end > group.leaf_end) {  // outlives the group: above all of its leaves
        RC_ASSERT(cut->tree.segments[s].first_leaf <= group.first_leaf);
      }
    }
  }
}

RC_GTEST_PROP(Groups, HoldEveryRowOfAPathInTheGroupOfItsLeaf, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  for (std::size_t p = 0; p < cut->paths.size(); ++p) {
    const auto leaf = cut->tree.leaf_of_path[p];
    const auto& group = cut->groups[group_of_leaf(cut->groups, leaf)];
    RC_ASSERT((group.first_leaf <= leaf && leaf < group.leaf_end));
    for (const auto& place : rows_of_path(cut->tree, leaf, cut->paths[p].rows)) {
      const bool on_spine = std::count(group.spine.begin(), group.spine.end(), place.segment) == 1;
      const bool in_body = std::count(group.body.begin(), group.body.end(), place.segment) == 1;
      RC_ASSERT(on_spine != in_body);
    }
  }
}

RC_GTEST_PROP(Groups, TakenInOrderComputeEachTokenOnceWithOneStack, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  Stack stack;
  std::size_t computed = 0;
  for (const auto& group : cut->groups) {
    stack.prepare(cut->tree, group.spine);
    computed += tokens_in(cut->tree, group.body);
  }
  RC_ASSERT(computed + stack.pushed == cut->tree.tokens());
}

RC_GTEST_PROP(Groups, AreCutAtTheShallowestBoundaryTheLatestAmongEquals, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  const auto count = cut->tree.leaves.size();
  const auto depth = [&](std::size_t boundary) {
    if (boundary == 0 || boundary == count) return std::size_t{0};
    const auto a = spelled(cut->tree, cut->tree.leaves[boundary - 1]);
    const auto b = spelled(cut->tree, cut->tree.leaves[boundary]);
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  };
  // Straight from the definition: does the run [first, end) keep the limits?
  const auto fits = [&](std::size_t first, std::size_t end) {
    std::size_t body = 0, rows = 0, context = 0, spine = 0;
    for (const auto& segment : cut->tree.segments) {
      if (segment.leaf_end <= first || segment.first_leaf >= end) continue;
      context += segment.tokens.size();
      const bool inside = segment.first_leaf >= first && segment.leaf_end <= end;
      spine += inside ? 0 : 1;
      body += inside ? segment.tokens.size() : 0;
      rows += inside ? segment.rows.size() : 0;
    }
    const auto& limits = cut->limits;
    return body <= limits.body && rows <= limits.rows && context <= limits.context &&
           end - first + spine <= limits.sequences;
  };
  for (const auto& group : cut->groups) {
    auto best = group.first_leaf + 1;
    bool any = fits(group.first_leaf, best);
    for (auto end = best + 1; end <= count; ++end) {
      if (!fits(group.first_leaf, end)) continue;
      if (!any || depth(end) <= depth(best)) best = end;
      any = true;
    }
    RC_ASSERT(group.leaf_end == best);
  }
}

RC_GTEST_PROP(Groups, AreTheSameWhateverOrderThePathsComeIn, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  auto turned = cut->paths;
  std::reverse(turned.begin(), turned.end());
  const auto again = cut_into_groups(build_prefix_tree(turned), cut->limits);
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->size() == cut->groups.size());
  for (std::size_t g = 0; g < again->size(); ++g) {
    RC_ASSERT((*again)[g].leaf_end == cut->groups[g].leaf_end);
    RC_ASSERT(((*again)[g].spine == cut->groups[g].spine && (*again)[g].body == cut->groups[g].body));
  }
}

RC_GTEST_PROP(Groups, OfAnySubsetPushEachSpineSegmentThatTheyNeedOnce, ()) {
  const auto cut = random_cut();
  if (!cut) return;
  Stack stack;
  std::set<std::size_t> needed;
  for (const auto& group : cut->groups) {
    if (!*rc::gen::arbitrary<bool>()) continue;
    stack.prepare(cut->tree, group.spine);
    needed.insert(group.spine.begin(), group.spine.end());
  }
  RC_ASSERT(stack.pushed == tokens_in(cut->tree, {needed.begin(), needed.end()}));
}

TEST(Groups, AResumePushesOnlyWhatItsGroupsNeed) {
  const auto tree = build_prefix_tree(workload(12, 100));
  const auto groups = cut_into_groups(tree, {});
  ASSERT_TRUE(groups);
  const auto& last = groups->back();
  Stack stack;
  stack.prepare(tree, last.spine);
  EXPECT_EQ(stack.pushed, tokens_in(tree, last.spine));
  EXPECT_EQ(last.spine.size(), 2U);  // the instruction and the last item, none of the eleven others
  EXPECT_EQ(stack.pushed, 260U);
}

TEST(PrefixTree, TakesTenThousandLongPaths) {
  // No time is asserted here; ctest's report shows it. Half of each path is shared with 99 others.
  std::vector<TokenPath> paths;
  for (TokenId p = 0; p < 10000; ++p) {
    Tokens tokens(300, 1);
    tokens[100] = p / 100;
    tokens[200] = p;
    paths.push_back(path_of(std::move(tokens)));
  }
  const auto tree = build_prefix_tree(paths);
  EXPECT_EQ(tree.tokens(), 100U + 100U * 100U + 10000U * 100U);
  const auto groups = cut_into_groups(tree, {});
  ASSERT_TRUE(groups);
  EXPECT_EQ(groups->back().leaf_end, 10000U);
}

}  // namespace
}  // namespace valence
