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
