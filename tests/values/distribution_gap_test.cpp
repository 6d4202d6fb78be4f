#include "valence/values/distribution_gap.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "valence/stats/distribution.h"

namespace valence {
namespace {

TEST(Wasserstein, IsTheShareOfTheScaleThatMassMustTravel) {
  EXPECT_DOUBLE_EQ(wasserstein_distance(std::array{1.0, 0.0, 0.0}, std::array{0.0, 1.0, 0.0}), 0.5);
  EXPECT_DOUBLE_EQ(wasserstein_distance(std::array{0.5, 0.0, 0.5}, std::array{0.0, 1.0, 0.0}), 0.5);
  EXPECT_DOUBLE_EQ(wasserstein_distance(std::array{1.0}, std::array{1.0}), 0.0);
}

TEST(DistributionGap, IsZeroForIdenticalAndOneForDisjointDistributions) {
  const std::vector<DistributionPair> same = {{{.2, .5, .3}, {.2, .5, .3}}, {{1, 0}, {1, 0}}};
  const auto none = distribution_gap(same);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->jensen_shannon, 0.0);
  EXPECT_EQ(none->wasserstein, 0.0);
  const std::vector<DistributionPair> disjoint = {{{1, 0, 0}, {0, 0, 1}}};
  const auto whole = distribution_gap(disjoint);
  ASSERT_TRUE(whole);
  EXPECT_DOUBLE_EQ(whole->jensen_shannon, 1.0);
  EXPECT_DOUBLE_EQ(whole->wasserstein, 1.0);
}

TEST(DistributionGap, JensenShannonKnowsNoOrderAndWassersteinDoes) {
  const std::vector<DistributionPair> near = {{{1, 0, 0}, {0, 1, 0}}}, far = {{{1, 0, 0}, {0, 0, 1}}};
  EXPECT_EQ(distribution_gap(near)->jensen_shannon, distribution_gap(far)->jensen_shannon);
  EXPECT_LT(distribution_gap(near)->wasserstein, distribution_gap(far)->wasserstein);
}

TEST(DistributionGap, LeavesUnorderedOptionsOutOfWasserstein) {
  const std::vector<DistributionPair> questions = {{{1, 0}, {0, 1}, false}, {{1, 0}, {1, 0}, true}};
  const auto gap = distribution_gap(questions);
  ASSERT_TRUE(gap);
  EXPECT_DOUBLE_EQ(gap->jensen_shannon, 0.5);
  EXPECT_DOUBLE_EQ(gap->wasserstein, 0.0);
  EXPECT_EQ(gap->questions, 2u);
  EXPECT_EQ(gap->ordered, 1u);
  EXPECT_TRUE(std::isnan(distribution_gap({})->jensen_shannon));
}

TEST(DistributionGap, TakesRoundedDistributionsAndRefusesWhatIsNone) {
  EXPECT_EQ(distribution_gap(std::vector<DistributionPair>{{{.5, .5}, {.49, .49}}})->jensen_shannon, 0.0);
  EXPECT_EQ(distribution_gap(std::vector<DistributionPair>{{{1, 0}, {1, 0}}, {{.5, .5}, {1}}}).error().message,
            "question 2: the subject chose among 2 options, the people among 1");
  EXPECT_EQ(distribution_gap(std::vector<DistributionPair>{{{.5, .5}, {0, 0}}}).error().message,
            "question 1, people: all 2 weights are zero; no distribution");
}

TEST(ShareBelow, CountsOrderedQuestions) {
  const std::vector<DistributionPair> questions = {{{1, 0, 0}, {0, 1, 0}}, {{1, 0, 0}, {1, 0, 0}}, {{1, 0}, {0, 1}}};
  EXPECT_DOUBLE_EQ(*share_below(questions, 0.2), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(*share_below(questions, 0.5), 1.0 / 3.0);  // the threshold itself is not below
  EXPECT_DOUBLE_EQ(*share_below(questions, 0.6), 2.0 / 3.0);
}

RC_GTEST_PROP(Wasserstein, IsAMetricOnTheSameOptions, ()) {
  const auto draw = [] {
    const auto counts = *rc::gen::container<std::vector<int>>(5, rc::gen::inRange(1, 50));
    return *stats::normalise(std::vector<double>(counts.begin(), counts.end()));
  };
  const auto p = draw(), q = draw(), r = draw();
  RC_ASSERT(wasserstein_distance(p, q) == wasserstein_distance(q, p));
  RC_ASSERT(wasserstein_distance(p, r) <= wasserstein_distance(p, q) + wasserstein_distance(q, r) + 1e-12);
  RC_ASSERT(wasserstein_distance(p, q) <= stats::total_variation(p, q) + 1e-12);
}

}  // namespace
}  // namespace valence
