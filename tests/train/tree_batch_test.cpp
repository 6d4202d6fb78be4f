#include "tree_batch.h"

#include <gtest/gtest.h>

#include <numeric>

#include "valence/base/random.h"

namespace valence::test {
namespace {

TrainingPath path(std::vector<TokenId> tokens, std::vector<std::size_t> targets, bool whole = false) {
  return {std::move(tokens), std::move(targets), whole};
}

std::vector<TreePack> packed(const std::vector<PathGroup>& groups, const PackLimits& limits = {}) {
  auto packs = pack_trees(groups, limits);
  if (!packs) throw std::runtime_error(packs.error().message);
  return *std::move(packs);
}

std::string message_of(const std::vector<PathGroup>& groups, const PackLimits& limits = {}) {
  const auto packs = pack_trees(groups, limits);
  return packs ? "no error" : packs.error().message;
}

/// The tokens from the root down to `token`.
std::vector<TokenId> way_to(const TreePack& pack, std::size_t token) {
  std::vector<TokenId> way;
  for (auto at = static_cast<std::uint32_t>(token); at != TreePack::kRoot; at = pack.parents[at])
    way.insert(way.begin(), pack.tokens[at]);
  return way;
}

TEST(TreePack, ChosenAndRejectedShareTheirPrompt) {
  const auto packs = packed({{{path({1, 2, 3, 10, 11}, {3, 4}), path({1, 2, 3, 20, 21, 22}, {3, 4, 5})}}});
  ASSERT_EQ(packs.size(), 1U);
  const auto& pack = packs.front();
  // Nothing is computed after the token before the last target: 3 shared, then 10, then 20 and 21.
  EXPECT_EQ(pack.tokens, (std::vector<TokenId>{1, 2, 3, 10, 20, 21}));
  EXPECT_EQ(pack.positions, (std::vector<std::int32_t>{0, 1, 2, 3, 3, 4}));
  EXPECT_EQ(pack.losses.size(), 5U);
  EXPECT_EQ(pack.losses[0].row, 2U);  // both first answer tokens are read after the prompt's last
  EXPECT_EQ(pack.losses[2].row, 2U);
  EXPECT_EQ(pack.losses[2].target, 20);
}

TEST(TreePack, OptionsOfOneTokenCostNone) {
  const auto packs = packed({{{path({1, 2, 3, 65}, {3}), path({1, 2, 3, 66}, {3}), path({1, 2, 3, 67}, {3})}}});
  EXPECT_EQ(packs.front().tokens, (std::vector<TokenId>{1, 2, 3}));
  EXPECT_EQ(packs.front().losses.size(), 3U);
}

TEST(TreePack, AWholePathIsComputedToItsEnd) {
  const auto packs = packed({{{path({1, 2, 3}, {}, true), path({1, 2, 4}, {1}, true)}}});
  EXPECT_EQ(packs.front().tokens, (std::vector<TokenId>{1, 2, 3, 4}));
  EXPECT_EQ(packs.front().paths[0].last, 2U);
  EXPECT_EQ(packs.front().paths[1].last, 3U);
}

std::vector<PathGroup> random_groups(std::uint64_t seed) {
  RandomStream random(seed, "groups");
  std::vector<PathGroup> groups;
  for (int g = 0; g < 12; ++g) {
    std::vector<TokenId> prompt{1, 2};  // all begin alike
    for (std::size_t i = random.below(60); i-- > 0;) prompt.push_back(static_cast<TokenId>(random.below(2)));
    PathGroup group;
    for (int p = 0; p < 3; ++p) {
      auto tokens = prompt;
      for (std::size_t i = 2 + random.below(40); i-- > 0;) tokens.push_back(static_cast<TokenId>(random.below(2)));
      std::vector<std::size_t> targets;
      for (auto i = prompt.size(); i < tokens.size(); ++i) targets.push_back(i);
      group.paths.push_back(path(std::move(tokens), std::move(targets), random.below(2) == 0));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

TEST(TreePack, EveryLossStandsAfterItsOwnHistory) {
  const auto groups = random_groups(3);
  PackLimits limits;
  limits.tokens = 300;
  const auto packs = packed(groups, limits);
  EXPECT_GT(packs.size(), 1U);
  std::size_t losses = 0;
  for (const auto& pack : packs) {
    EXPECT_LE(pack.tokens.size(), limits.tokens);
    for (const auto& loss : pack.losses) {
      const auto& origin = pack.paths[loss.path];
      const auto& tokens = groups[origin.group].paths[origin.path].tokens;
      EXPECT_EQ(way_to(pack, loss.row),
                std::vector<TokenId>(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(loss.position)));
      EXPECT_EQ(loss.target, tokens[loss.position]);
    }
    losses += pack.losses.size();
  }
  std::size_t wanted = 0;
  for (const auto& group : groups) {
    for (const auto& one : group.paths) wanted += one.targets.size();
  }
  EXPECT_EQ(losses, wanted);
}

TEST(TreePack, ATokenSeesItsAncestorsAndNothingElse) {
  const auto pack = packed(random_groups(4)).front();
  for (std::size_t query = 0; query < pack.tokens.size(); ++query) {
    std::vector<bool> ancestor(pack.tokens.size(), false);
    for (auto at = static_cast<std::uint32_t>(query); at != TreePack::kRoot; at = pack.parents[at]) ancestor[at] = true;
    for (std::size_t key = 0; key < pack.tokens.size(); ++key)
      ASSERT_EQ(pack.sees(query, key), ancestor[key]) << query << " " << key;
  }
}

TEST(TreePack, AWindowEndsTheSightOfFarAncestors) {
  const auto pack = packed({{{path({1, 2, 3, 4, 5}, {4}, true)}}}).front();
  EXPECT_TRUE(pack.sees(4, 3, 2));
  EXPECT_FALSE(pack.sees(4, 2, 2));
  EXPECT_TRUE(pack.sees(4, 0, 5));
}

TEST(TreePack, BlocksHoldEveryKeyThatTheirQueriesSee) {
  for (const std::size_t join_below : {std::size_t{0}, std::size_t{4096}, std::size_t{1} << 40}) {
    PackLimits limits;
    limits.join_below = join_below;
    const auto pack = packed(random_groups(5), limits).front();
    std::size_t next = 0;
    for (const auto& block : pack.blocks) {
      EXPECT_EQ(block.queries.begin, next);
      next = block.queries.end;
      std::vector<bool> held(pack.tokens.size(), false);
      for (const auto& range : block.keys)
        std::fill(held.begin() + static_cast<std::ptrdiff_t>(range.begin),
                  held.begin() + static_cast<std::ptrdiff_t>(range.end), true);
      for (auto query = block.queries.begin; query < block.queries.end; ++query) {
        for (std::size_t key = 0; key <= query; ++key) ASSERT_TRUE(held[key] || !pack.sees(query, key));
      }
    }
    EXPECT_EQ(next, pack.tokens.size());
  }
}

TEST(TreePack, TreesDoNotPayForEachOther) {
  std::vector<PathGroup> groups;
  for (TokenId g = 0; g < 8; ++g) {
    std::vector<TokenId> tokens(200, 100 + g);
    groups.push_back({{path(std::move(tokens), {199}, true)}});
  }
  const auto pack = packed(groups).front();
  std::size_t products = 0;
  for (const auto& block : pack.blocks) products += block.queries.size() * block.key_count();
  EXPECT_LE(products, 8U * 200 * 200);
}

TEST(TreePack, SharingCountsWhatIsLeftOut) {
  const std::vector<PathGroup> groups{{{path({1, 2, 3, 65}, {3}), path({1, 2, 3, 66}, {3})}}};
  EXPECT_DOUBLE_EQ(sharing_factor(groups, packed(groups)), 8.0 / 3.0);
}

TEST(TreePack, BadGroupsAreNamed) {
  EXPECT_EQ(message_of({{{path({}, {1})}}}), "group 1, path 1: it has no tokens");
  EXPECT_EQ(message_of({{{path({1, 2}, {1}), path({1, 2}, {})}}}),
            "group 1, path 2: it has no targets, so there is nothing to learn from it");
  EXPECT_EQ(message_of({{{path({1, 2}, {0})}}}),
            "group 1, path 1: target 0 is not above the one before and within 1 to 1");
  EXPECT_EQ(message_of({{{path({1, 2, 3}, {2, 1})}}}),
            "group 1, path 1: target 1 is not above the one before and within 1 to 2");
  PackLimits limits;
  limits.tokens = 3;
  EXPECT_EQ(message_of({{{path({1, 2, 3, 4, 5}, {4})}}}, limits),
            "group 1 needs 4 tokens at once; the limit is 3. Raise the limit or shorten its texts");
}

}  // namespace
}  // namespace valence::test
