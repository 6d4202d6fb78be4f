#include "valence/align/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "valence/values/profile.h"

namespace valence {
namespace {

const std::vector<Candidate> kSix = {{"d", -1.0}, {"a", 0.5}, {"f", kUndefined}, {"b", 0.5}, {"c", -0.2}, {"e", -3.0}};

using Named = std::set<std::pair<std::string, std::string>>;

Named names_of(const std::vector<Candidate>& candidates, const std::vector<RankedPair>& pairs) {
  Named names;
  for (const auto& pair : pairs) names.emplace(candidates[pair.chosen].text, candidates[pair.rejected].text);
  return names;
}

TEST(RankedPairs, SetTheBestAgainstTheWorst) {
  const auto pairs = ranked_pairs(kSix, 0.0, 10);
  EXPECT_EQ(names_of(kSix, pairs), (Named{{"a", "e"}, {"b", "d"}}));
  EXPECT_DOUBLE_EQ(pairs.front().margin, 3.5);
}

TEST(RankedPairs, DoNotDependOnTheOrderOfDrawing) {
  std::vector<std::size_t> order(kSix.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto expected = names_of(kSix, ranked_pairs(kSix, 0.0, 10));
  do {
    std::vector<Candidate> shuffled;
    for (const auto i : order) shuffled.push_back(kSix[i]);
    ASSERT_EQ(names_of(shuffled, ranked_pairs(shuffled, 0.0, 10)), expected);
    ASSERT_EQ(shuffled[best_of(shuffled).front()].text, "a");
  } while (std::ranges::next_permutation(order).found);
}

TEST(RankedPairs, LeaveOutWhatDiffersTooLittle) {
  EXPECT_EQ(names_of(kSix, ranked_pairs(kSix, 1.6, 10)), (Named{{"a", "e"}}));
  EXPECT_TRUE(ranked_pairs(kSix, 3.6, 10).empty());
  EXPECT_EQ(ranked_pairs(kSix, 0.0, 1).size(), 1u);
}

TEST(RankedPairs, NeverSetEqualRewardsAgainstEachOther) {
  const std::vector<Candidate> same = {{"a", 1.0}, {"b", 1.0}, {"c", 1.0}};
  EXPECT_TRUE(ranked_pairs(same, 0.0, 10).empty());
}

TEST(BestOf, IsNoneWhenNothingCouldBeRead) {
  EXPECT_TRUE(best_of(std::vector<Candidate>{{"a", kUndefined}}).empty());
  EXPECT_TRUE(best_of({}).empty());
}

// Of kSix: a and b share 0.5, then c, d, e; f could not be read.
TEST(BestOf, KeepsSoManyBestFirstAndOfEqualOnesTheFirstByItsText) {
  EXPECT_EQ(best_of(kSix), (std::vector<std::size_t>{1}));
  EXPECT_EQ(best_of(kSix, 3), (std::vector<std::size_t>{1, 3, 4}));
  EXPECT_EQ(best_of(kSix, 9), (std::vector<std::size_t>{1, 3, 4, 0, 5}));
}

// Worked number: specs, alignment_methods §4.
TEST(BestOf, MovesASubjectByABoundedAmount) {
  EXPECT_NEAR(best_of_n_bound(16), 1.8350887222, 1e-10);
  EXPECT_EQ(best_of_n_bound(1), 0.0);
}

TEST(BestOf, ItsBoundIsWhatASimulationGives) {
  // Rank of the best of 4 among equal answers: KL of the maximum's law to the uniform, n u^(n−1) integrated numerically.
  const double n = 4;
  double kl = 0;
  constexpr int kCells = 200000;
  for (int i = 0; i < kCells; ++i) {
    const double u = (i + .5) / kCells, density = n * std::pow(u, n - 1);
    kl += density * std::log(density) / kCells;
  }
  EXPECT_NEAR(best_of_n_bound(4), kl, 1e-4);
}

}  // namespace
}  // namespace valence
