#include "valence/values/gap.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>

namespace valence {
namespace {

constexpr Band kSlider{-16.260204708311957, 61.38954033403479};

// Worked numbers: specs, alignment methods §2, target (0, 1, 2).
const std::array kTarget{0.0, 1.0, 2.0};

TEST(Gap, AShiftIsPointwiseOnly) {
  const std::array profile{1.0, 2.0, 3.0};
  EXPECT_DOUBLE_EQ(l1_gap(profile, kTarget), 0.0);
  EXPECT_DOUBLE_EQ(l2_gap(profile, kTarget), 1.0);
  EXPECT_DOUBLE_EQ(ordering_gap(profile, kTarget), 0.0);
}

TEST(Gap, AScaleIsSeenByBothAndKeepsTheOrder) {
  const std::array profile{0.0, 2.0, 4.0};
  EXPECT_NEAR(l1_gap(profile, kTarget), 0.888889, 1e-6);
  EXPECT_NEAR(l1_gap(profile, kTarget, PairDistribution::kDistinct), 1.333333, 1e-6);
  EXPECT_DOUBLE_EQ(l2_gap(profile, kTarget), 1.0);
  EXPECT_DOUBLE_EQ(ordering_gap(profile, kTarget), 0.0);
}

TEST(Gap, ASwapCostsAThirdOfTheOrder) {
  const std::array profile{0.0, 2.0, 1.0};
  EXPECT_NEAR(l1_gap(profile, kTarget), 0.888889, 1e-6);
  EXPECT_NEAR(l2_gap(profile, kTarget), 0.666667, 1e-6);
  EXPECT_NEAR(ordering_gap(profile, kTarget), 1.0 / 3.0, 1e-12);
}

TEST(OrderingGap, ATieInTheProfileCountsHalfAndOneInTheTargetNothing) {
  EXPECT_DOUBLE_EQ(ordering_gap(std::array{1.0, 1.0, 1.0}, kTarget), 0.5);
  EXPECT_DOUBLE_EQ(ordering_gap(std::array{3.0, 1.0, 2.0}, std::array{0.0, 0.0, 1.0}), 0.5);
  EXPECT_TRUE(std::isnan(ordering_gap(kTarget, std::array{1.0, 1.0, 1.0})));
}

TEST(Gap, OfNothingIsUndefined) {
  EXPECT_TRUE(std::isnan(l1_gap({}, {})));
  EXPECT_TRUE(std::isnan(l2_gap({}, {})));
  EXPECT_TRUE(std::isnan(l1_gap(std::array{1.0}, std::array{2.0}, PairDistribution::kDistinct)));
}

RC_GTEST_PROP(Gap, PairwiseIsAtMostTwicePointwise, ()) {
  const auto a = *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(-100, 100));
  const auto b = *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(-100, 100));
  const std::vector<double> profile(a.begin(), a.end()), target(b.begin(), b.end());
  RC_ASSERT(l1_gap(profile, target) <= 2.0 * l2_gap(profile, target) + 1e-9);
}

// The three counter-examples of alignment methods §2, whole: what L1, L2 and the order say of the same three subjects.
TEST(Gap, WeakAlignmentDoesNotImplyAnL1OfZeroAndAnL1OfZeroImpliesWeakAlignment) {
  const std::array scaled{0.0, 2.0, 4.0}, swapped{0.0, 2.0, 1.0}, shifted{1.0, 2.0, 3.0};
  EXPECT_DOUBLE_EQ(ordering_gap(scaled, kTarget), 0.0);
  EXPECT_GT(l1_gap(scaled, kTarget), 0.0);
  EXPECT_DOUBLE_EQ(l1_gap(shifted, kTarget), 0.0);
  EXPECT_DOUBLE_EQ(ordering_gap(shifted, kTarget), 0.0);
  EXPECT_DOUBLE_EQ(l1_gap(scaled, kTarget), l1_gap(swapped, kTarget));  // one aligned, one not
}

RC_GTEST_PROP(Gap, OfPairsIsZeroOnlyWhereTheOrderIsKept, ()) {
  const auto b = *rc::gen::container<std::vector<int>>(5, rc::gen::inRange(-100, 100));
  const double shift = *rc::gen::inRange(-1000, 1000);
  const std::vector<double> target(b.begin(), b.end());
  std::vector<double> profile;
  for (const double x : target) profile.push_back(x + shift);
  RC_ASSERT(l1_gap(profile, target) == 0.0);
  const double ordering = ordering_gap(profile, target);
  RC_ASSERT(ordering == 0.0 || std::isnan(ordering));
}

TEST(Gap, NeitherFormIsScaleInvariant) {
  const std::array profile{0.0, 4.0, 2.0}, target{0.0, 2.0, 4.0};  // both sides of the swap twice as large
  EXPECT_NEAR(l1_gap(profile, target), 2.0 * 0.888889, 1e-5);
  EXPECT_NEAR(l2_gap(profile, target), 2.0 * 0.666667, 1e-5);
}

TEST(Gap, ADimensionWithoutTargetOrWeightIsNotLookedAt) {
  const std::array profile{1.0, 99.0, 2.0, std::nan("")}, masked{0.0, std::nan(""), 4.0, std::nan("")};
  const std::array full{0.0, 7.0, 4.0, 7.0}, weights{1.0, 0.0, 1.0, 0.0};
  for (const auto gap : {l2_gap, ordering_gap, euclidean_gap, cosine_agreement, spearman_agreement, kendall_agreement}) {
    const double expected = gap(std::array{1.0, 2.0}, std::array{0.0, 4.0}, {});
    EXPECT_DOUBLE_EQ(gap(profile, masked, {}), expected);
    EXPECT_DOUBLE_EQ(gap(profile, full, weights), expected);
  }
  EXPECT_DOUBLE_EQ(l1_gap(profile, masked, PairDistribution::kDistinct), 3.0);
  EXPECT_DOUBLE_EQ(l1_gap(profile, full, PairDistribution::kDistinct, weights), 3.0);
  EXPECT_DOUBLE_EQ(l1_gap(profile, masked), 1.5);
}

TEST(Gap, AWeightOfTwoIsTheSameDimensionTwice) {
  const std::array profile{1.0, 5.0, 2.0}, target{0.0, 1.0, 4.0}, weights{2.0, 1.0, 1.0};
  const std::array twice{1.0, 1.0, 5.0, 2.0}, target_twice{0.0, 0.0, 1.0, 4.0};
  EXPECT_DOUBLE_EQ(l1_gap(profile, target, PairDistribution::kIndependent, weights), l1_gap(twice, target_twice));
  EXPECT_DOUBLE_EQ(l2_gap(profile, target, weights), l2_gap(twice, target_twice));
  EXPECT_DOUBLE_EQ(ordering_gap(profile, target, weights), ordering_gap(twice, target_twice));
  EXPECT_DOUBLE_EQ(euclidean_gap(profile, target, weights), euclidean_gap(twice, target_twice));
  EXPECT_DOUBLE_EQ(cosine_agreement(profile, target, weights), cosine_agreement(twice, target_twice));
}

TEST(Gap, OfAnUndefinedProfileIsUndefined) {
  const std::array profile{1.0, std::nan(""), 3.0};
  for (const auto gap : {l2_gap, ordering_gap, euclidean_gap, cosine_agreement, spearman_agreement, kendall_agreement}) {
    EXPECT_TRUE(std::isnan(gap(profile, kTarget, {})));
  }
  EXPECT_TRUE(std::isnan(l1_gap(profile, kTarget)));
}

TEST(Agreement, IsOneForAScaledProfileAndMinusOneForItsOpposite) {
  const std::array scaled{0.0, 2.0, 4.0}, opposite{0.0, -1.0, -2.0};
  for (const auto agreement : {cosine_agreement, spearman_agreement, kendall_agreement}) {
    EXPECT_NEAR(agreement(scaled, kTarget, {}), 1.0, 1e-15);
    EXPECT_NEAR(agreement(opposite, kTarget, {}), -1.0, 1e-15);
  }
}

TEST(Agreement, CosineSeesAConstantAndRanksDoNot) {
  const std::array shifted{1.0, 2.0, 3.0};
  EXPECT_NEAR(cosine_agreement(shifted, kTarget), 8.0 / std::sqrt(14.0 * 5.0), 1e-15);
  EXPECT_DOUBLE_EQ(spearman_agreement(shifted, kTarget), 1.0);
  EXPECT_TRUE(std::isnan(cosine_agreement(std::array{0.0, 0.0, 0.0}, kTarget)));
  EXPECT_TRUE(std::isnan(spearman_agreement(std::array{4.0, 4.0, 4.0}, kTarget)));
}

TEST(Agreement, TiesShareTheirAverageRank) {
  const std::array profile{1.0, 1.0, 2.0, 3.0}, target{1.0, 2.0, 3.0, 4.0};
  EXPECT_NEAR(spearman_agreement(profile, target), 4.5 / std::sqrt(4.5 * 5.0), 1e-15);  // ranks 1.5 1.5 3 4
  EXPECT_NEAR(kendall_agreement(profile, target), 5.0 / std::sqrt(5.0 * 6.0), 1e-15);
}

RC_GTEST_PROP(Agreement, KendallIsOneMinusTwiceTheOrderingGapWithoutTies, ()) {
  const auto a = *rc::gen::unique<std::vector<int>>(7, rc::gen::inRange(-100, 100));
  const auto b = *rc::gen::unique<std::vector<int>>(7, rc::gen::inRange(-100, 100));
  const std::vector<double> profile(a.begin(), a.end()), target(b.begin(), b.end());
  RC_ASSERT(std::abs(kendall_agreement(profile, target) - (1.0 - 2.0 * ordering_gap(profile, target))) < 1e-12);
}

TEST(Angles, WrapIntoHalfOpenCircle) {
  EXPECT_DOUBLE_EQ(wrap180(190.0), -170.0);
  EXPECT_DOUBLE_EQ(wrap180(-190.0), 170.0);
  EXPECT_DOUBLE_EQ(wrap180(180.0), 180.0);
  EXPECT_DOUBLE_EQ(wrap180(-180.0), 180.0);
  EXPECT_DOUBLE_EQ(wrap180(-540.0), 180.0);
  EXPECT_DOUBLE_EQ(angular_distance(-170.0, 170.0), 20.0);
}

RC_GTEST_PROP(Angles, LargestDistanceIsReachedAndNeverExceeded, ()) {
  const double target = *rc::gen::inRange(-180, 181);
  const double low = *rc::gen::inRange(-180, 100);
  const Band band{low, low + *rc::gen::inRange(1, 80)};
  double largest = 0.0;
  for (double angle = band.low; angle <= band.high; angle += 1.0) {
    largest = std::max(largest, angular_distance(angle, target));
  }
  RC_ASSERT(std::abs(largest - largest_distance(target, band)) < 1e-9);
}

// Specs, hvae §2: against ideal targets a perfect altruist misses by 28.6 of 106.26 degrees.
TEST(ValueRationality, OfThePerfectAltruist) {
  EXPECT_DOUBLE_EQ(value_rationality(kSlider.high, kSlider.high, kSlider), 1.0);
  EXPECT_DOUBLE_EQ(value_rationality(kSlider.low, kSlider.high, kSlider), 0.0);
  EXPECT_NEAR(value_rationality(kSlider.high, 90.0, kSlider), 1.0 - 28.61045966596521 / 106.26020470831196, 1e-12);
}

TEST(ValueRationality, OfTheUniformResponderTowardsProsocial) {
  EXPECT_NEAR(value_rationality(22.70, 45.0, kSlider), 1.0 - 22.30 / 61.260204708311957, 1e-12);
}

TEST(ValueRationality, IsUndefinedWithoutAWidth) {
  EXPECT_TRUE(std::isnan(value_rationality(10.0, 45.0, Band{45.0, 45.0})));
}

}  // namespace
}  // namespace valence
