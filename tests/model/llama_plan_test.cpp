#include "llama_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "valence/base/random.h"

namespace valence::test {
namespace {

using Tokens = std::vector<TokenId>;

/// What a read stands after: the tokens from the root to its row.
Tokens path_to(const PrefixTree& tree, const Read& read) {
  Tokens path;
  for (auto segment = read.segment; segment != kNoSegment; segment = tree.segments[segment].parent) {
    const auto& tokens = tree.segments[segment].tokens;
    const auto count = segment == read.segment ? read.offset + 1 : tokens.size();
    path.insert(path.begin(), tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return path;
}

std::vector<TokenScore> random_scores(std::uint64_t seed) {
  RandomStream random(seed, "scores");
  const auto tokens = [&](std::size_t most) {
    Tokens list(1 + random.below(most));
    for (auto& token : list) token = static_cast<TokenId>(random.below(3));  // few letters: much is shared
    return list;
  };
  std::vector<TokenScore> scores;
  const auto count = 1 + random.below(25);
  for (std::size_t i = 0; i < count; ++i) {
    TokenScore score{i, tokens(6), {}, tokens(2)};
    const auto options = 1 + random.below(6);
    for (std::size_t k = 0; k < options; ++k) score.continuations.push_back(tokens(4));
    scores.push_back(score);
  }
  return scores;
}

class ScoreLayouts : public ::testing::TestWithParam<Sharing> {};

TEST_P(ScoreLayouts, EveryReadStandsAfterItsContextAndTheTokensBefore) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto scores = random_scores(seed);
    const auto layout = lay_out_scores(scores, {12, 8, 64, 40}, GetParam());
    ASSERT_TRUE(layout) << layout.error().message;
    for (std::size_t s = 0; s < scores.size(); ++s) {
      for (std::size_t k = 0; k < scores[s].continuations.size(); ++k) {
        auto after = scores[s].context, tokens = scores[s].continuations[k];
        const auto& place = layout->places[s][k];
        ASSERT_EQ(place.tokens, tokens.size());
        ASSERT_EQ(place.terminator > 0, begins_another(tokens, scores[s].continuations));
        if (place.terminator > 0) tokens.insert(tokens.end(), scores[s].terminator.begin(), scores[s].terminator.end());
        for (std::size_t i = 0; i < tokens.size(); ++i) {
          const auto& read = layout->reads[place.first + i];
          ASSERT_EQ(read.token, tokens[i]);
          ASSERT_EQ(path_to(layout->tree, read), after);
          const auto& segment = layout->tree.segments[read.segment];
          ASSERT_EQ(segment.begin + read.offset + 1, after.size()) << "position";
          ASSERT_TRUE(std::ranges::binary_search(segment.rows, read.offset));
          after.push_back(tokens[i]);
        }
      }
    }
  }
}

TEST_P(ScoreLayouts, AUnitHoldsAllThatItsRequestsRead) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto scores = random_scores(seed);
    const auto layout = lay_out_scores(scores, {12, 8, 64, 40}, GetParam());
    ASSERT_TRUE(layout);
    std::vector<int> seen(scores.size(), 0);
    std::size_t next_decode = 0;
    for (const auto& unit : layout->units) {
      ASSERT_EQ(unit.first_decode, next_decode);
      next_decode = unit.decode_end;
      std::set<std::size_t> segments;
      for (auto d = unit.first_decode; d < unit.decode_end; ++d) {
        segments.insert(layout->decodes[d].spine.begin(), layout->decodes[d].spine.end());
        segments.insert(layout->decodes[d].body.begin(), layout->decodes[d].body.end());
      }
      for (const auto score : unit.scores) {
        ++seen[score];
        for (const auto& place : layout->places[score]) {
          for (std::size_t i = 0; i < place.tokens + place.terminator; ++i) {
            ASSERT_TRUE(segments.contains(layout->reads[place.first + i].segment));
          }
        }
      }
    }
    ASSERT_EQ(next_decode, layout->decodes.size());
    ASSERT_EQ(seen, std::vector<int>(scores.size(), 1));
  }
}

INSTANTIATE_TEST_SUITE_P(Sharing, ScoreLayouts, ::testing::Values(Sharing::kTree, Sharing::kRequest, Sharing::kNone));

TokenScore question(std::size_t number, Tokens context, std::vector<Tokens> options) {
  return {number, std::move(context), std::move(options), {9}};
}

TEST(ScoreLayout, OneTokenOptionsAreReadFromTheContextsLastRow) {
  const std::vector<TokenScore> scores{question(0, {1, 2, 3}, {{4}, {5}, {6}})};
  const auto layout = lay_out_scores(scores, {}, Sharing::kTree);
  EXPECT_EQ(layout->tree.tokens(), 3U);
  EXPECT_EQ(layout->tree.segments[0].rows, (std::vector<std::size_t>{2}));
  EXPECT_EQ(layout->reads.size(), 3U);
}

TEST(ScoreLayout, WithoutForksEachDistinctPrefixIsComputedOnce) {
  std::vector<TokenScore> scores;
  for (TokenId i = 0; i < 12; ++i) scores.push_back(question(scores.size(), {1, 2, 3, TokenId(10 + i), 7}, {{1, 1}, {2, 2, 2}}));
  const auto layout = lay_out_scores(scores, {}, Sharing::kTree);
  EXPECT_EQ(layout->tree.tokens(), 3U + 12U * (2U + 1U + 2U));
  const auto apart = lay_out_scores(scores, {}, Sharing::kRequest);
  EXPECT_EQ(apart->tree.tokens(), 12U * (5U + 1U + 2U));
  const auto none = lay_out_scores(scores, {}, Sharing::kNone);
  EXPECT_EQ(none->tree.tokens(), 12U * (6U + 7U));
}

TEST(ScoreLayout, ManyRequestsWithOneContextAreNotOneUnit) {
  std::vector<TokenScore> scores;
  for (TokenId i = 0; i < 200; ++i) scores.push_back(question(scores.size(), {1, 2, 3}, {{i, i, 1}, {TokenId(500 - i), 3, 4}}));
  const auto layout = lay_out_scores(scores, {}, Sharing::kTree);
  EXPECT_GE(layout->units.size(), 6U);
  for (const auto& unit : layout->units) EXPECT_LE(unit.scores.size(), 64U);
  std::size_t tokens = 0;
  for (const auto cost : unit_costs(*layout)) tokens += cost;
  EXPECT_EQ(tokens, layout->tree.tokens());
  EXPECT_LE(tokens, 3U + 200U * 4U + 20U) << "only first tokens shared between families are computed again";
}

TEST(ScoreLayout, DigestsDependOnRowsAndReadsOfTheUnitOnly) {
  std::vector<TokenScore> scores{question(0, {1, 2, 3}, {{4, 5}, {6}}), question(1, {7, 8}, {{4}, {5}})};
  const auto digest_of = [](const std::vector<TokenScore>& list) {
    const auto layout = lay_out_scores(list, {2, 8, 64, 40}, Sharing::kTree);
    Hasher hasher;
    add_to_digest(hasher, *layout, layout->units.front());
    return hasher.finish();
  };
  const auto before = digest_of(scores);
  scores[1].continuations.push_back({1});
  EXPECT_EQ(digest_of(scores), before);
  scores[0].continuations[1] = {7};
  EXPECT_NE(digest_of(scores), before);
}

}  // namespace
}  // namespace valence::test
