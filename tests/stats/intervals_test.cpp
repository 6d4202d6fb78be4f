#include "valence/stats/intervals.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace valence::stats {
namespace {

TEST(Quantiles, AgreeWithPublishedTables) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(student_quantile(0.975, 29), 2.045229642132703, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706204736432095, 1e-9);
  EXPECT_NEAR(chi_squared_quantile(0.95, 1), 3.841458820694124, 1e-9);
}

TEST(Quantiles, InvertTheDistributionFunctions) {
  for (const double p : {1e-6, 0.025, 0.5, 0.9, 0.999}) {
    EXPECT_NEAR(normal_cdf(normal_quantile(p)), p, 1e-12);
    EXPECT_NEAR(student_cdf(student_quantile(p, 4.5), 4.5), p, 1e-12);
  }
}

TEST(Quantiles, TheEndsAreInfinite) {
  EXPECT_EQ(normal_quantile(0.0), -INFINITY);
  EXPECT_EQ(student_quantile(1.0, 3), INFINITY);
  EXPECT_EQ(student_cdf(-INFINITY, 3), 0.0);
}

// By hand: centre (0.8 + z²/20)/(1 + z²/10), half-width z/(1 + z²/10)·√(0.016 + z²/400).
TEST(Wilson, EightOfTen) {
  const auto share = wilson(8, 10, "scenario");
  EXPECT_DOUBLE_EQ(share.value, 0.8);
  EXPECT_NEAR(share.low, 0.4901625, 1e-6);
  EXPECT_NEAR(share.high, 0.9433178, 1e-6);
  EXPECT_EQ(share.method, "Wilson");
  EXPECT_EQ(share.unit, "scenario");
  EXPECT_EQ(share.count, 10u);
}

TEST(Wilson, NothingOfTenHasAnUpperEndOnly) {
  const auto share = wilson(0, 10, "scenario");
  EXPECT_EQ(share.low, 0.0);
  EXPECT_NEAR(share.high, 0.2775328, 1e-6);  // z²/(10 + z²)
}

TEST(Wilson, WithoutTrialsThereIsNothing) {
  const auto share = wilson(0, 0, "scenario");
  EXPECT_TRUE(std::isnan(share.value));
  EXPECT_FALSE(share.has_interval());
  EXPECT_EQ(share.method, "no trials");
}

TEST(Student, MeanOfOneToFive) {
  const auto estimate = student_mean(std::array{1.0, 2.0, 3.0, 4.0, 5.0}, "dialogue");
  EXPECT_DOUBLE_EQ(estimate.value, 3.0);
  EXPECT_NEAR(estimate.low, 3.0 - 2.7764451 * std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(estimate.high, 3.0 + 2.7764451 * std::sqrt(0.5), 1e-6);
  EXPECT_EQ(estimate.method, "Student t");
}

TEST(Student, OneValueIsASingleAdministration) {
  const auto estimate = student_mean(std::array{22.9}, "dialogue");
  EXPECT_DOUBLE_EQ(estimate.value, 22.9);
  EXPECT_FALSE(estimate.has_interval());
  EXPECT_EQ(estimate.method, "single administration");
}

TEST(Student, PairingRemovesWhatUnitsShare) {
  const auto estimate = student_paired(std::array{10.0, 20.0, 30.0}, std::array{11.0, 21.0, 31.0}, "dialogue");
  EXPECT_DOUBLE_EQ(estimate.low, 1.0);
  EXPECT_DOUBLE_EQ(estimate.high, 1.0);
  EXPECT_EQ(estimate.method, "paired Student t");
}

TEST(PercentText, IsWholeAndNeverMinusNought) {
  Estimate share;
  EXPECT_EQ(percent_text(share), "") << "undefined";
  share.value = 0.324;
  EXPECT_EQ(percent_text(share), "32 %");
  share.low = -0.004;
  share.high = 0.5;
  EXPECT_EQ(percent_text(share), "32 % [0, 50]");
  share.value = -0.46;
  EXPECT_EQ(percent_text(share), "-46 % [0, 50]");
}

}  // namespace
}  // namespace valence::stats
