#include "valence/stats/distribution.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace valence::stats {
namespace {

TEST(Entropy, OfACertainAndOfAUniformAnswer) {
  EXPECT_EQ(entropy(std::array{1.0, 0.0, 0.0}), 0.0);
  EXPECT_NEAR(entropy(uniform_distribution(9)), std::log(9.0), 1e-15);
}

TEST(Distances, OfDisjointDistributionsAreOne) {
  const std::array p{1.0, 0.0}, q{0.0, 1.0};
  EXPECT_DOUBLE_EQ(total_variation(p, q), 1.0);
  EXPECT_DOUBLE_EQ(jensen_shannon_distance(p, q), 1.0);
}

// Divergence against (1/2, 1/2): ½·log2(4/3) + ½·(½·log2(2/3) + ½·log2 2) = 0.311278.
TEST(Distances, JensenShannonByHand) {
  EXPECT_NEAR(jensen_shannon_distance(std::array{1.0, 0.0}, std::array{0.5, 0.5}), std::sqrt(0.311278124459), 1e-10);
  EXPECT_DOUBLE_EQ(total_variation(std::array{1.0, 0.0}, std::array{0.5, 0.5}), 0.5);
}

TEST(Normalise, DividesByTheSum) {
  EXPECT_EQ(normalise(std::array{1.0, 3.0}).value(), (std::vector{0.25, 0.75}));
}

TEST(Normalise, RefusesWhatIsNoWeight) {
  EXPECT_EQ(normalise(std::array{1.0, -0.5}).error().message,
            "weight 1 is -0.5; a distribution needs finite weights of at least 0");
  EXPECT_EQ(normalise(std::array{0.0, 0.0, 0.0}).error().message, "all 3 weights are zero; no distribution");
}

TEST(LogSpace, SurvivesNumbersThatExpCannotHold) {
  EXPECT_NEAR(log_sum_exp(std::array{-2000.0, -2000.0}), -2000.0 + std::log(2.0), 1e-12);
  EXPECT_NEAR(log_sum_exp(std::array{2000.0, 1000.0}), 2000.0, 1e-12);
  EXPECT_EQ(log_sum_exp(std::span<const double>()), -INFINITY);
  EXPECT_EQ(softmax(std::array<double, 2>{-INFINITY, -3000.0}), (std::vector{0.0, 1.0}));
}

TEST(LogSpace, SigmoidIsExactInBothTails) {
  EXPECT_DOUBLE_EQ(log_sigmoid(-800.0), -800.0);
  EXPECT_DOUBLE_EQ(log_sigmoid(800.0), 0.0);
  EXPECT_NEAR(log_sigmoid(40.0), -std::exp(-40.0), 1e-30);
  EXPECT_NEAR(softplus(0.0), std::log(2.0), 1e-15);
}

TEST(PairwiseSum, KeepsWhatARunningSumLoses) {
  const std::vector<double> tenths(10'000'000, 0.1);
  EXPECT_NEAR(pairwise_sum(tenths), 1e6, 1e-8);
  EXPECT_GT(std::abs(std::accumulate(tenths.begin(), tenths.end(), 0.0) - 1e6), 1e-5);
}

TEST(WeightedMean, CountsAUnitAsOftenAsItsWeight) {
  EXPECT_DOUBLE_EQ(weighted_mean(std::array{1.0, 2.0, 9.0}, std::array{2.0, 1.0, 0.0}), 4.0 / 3.0);
  EXPECT_DOUBLE_EQ(weighted_variance(std::array{1.0, 2.0, 9.0}, std::array{2.0, 1.0, 0.0}), 2.0 / 9.0);
}

TEST(WeightedMean, DoesNotLookAtUnitsLeftOut) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_DOUBLE_EQ(weighted_mean(std::array{unknown, 2.0}, std::array{0.0, 1.0}), 2.0);
  EXPECT_TRUE(std::isnan(weighted_mean(std::array{1.0, 2.0}, std::array{0.0, 0.0})));
}

TEST(Variance, OfASampleIsUnbiased) {
  EXPECT_DOUBLE_EQ(variance(std::array{1.0, 2.0, 3.0, 4.0, 5.0}), 2.5);
  EXPECT_TRUE(std::isnan(variance(std::array{1.0})));
}

// Type 7: h = (n − 1)p.
TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  const std::array x{40.0, 10.0, 30.0, 20.0};
  EXPECT_DOUBLE_EQ(quantile(x, 0.25), 17.5);
  EXPECT_DOUBLE_EQ(quantile(x, 0.5), 25.0);
  EXPECT_DOUBLE_EQ(quantile(x, 0.0), 10.0);
  EXPECT_DOUBLE_EQ(quantile(x, 1.0), 40.0);
  EXPECT_TRUE(std::isnan(quantile(std::span<const double>(), 0.5)));
}

std::vector<double> some_distribution() {
  const auto counts = *rc::gen::container<std::vector<int>>(5, rc::gen::inRange(0, 1000));
  std::vector<double> weights(counts.begin(), counts.end());
  weights[0] += 1.0;
  return normalise(weights).value();
}

RC_GTEST_PROP(Distances, AreMetricsWithinTheirBounds, ()) {
  const auto p = some_distribution(), q = some_distribution(), r = some_distribution();
  RC_ASSERT(jensen_shannon_distance(p, q) <= jensen_shannon_distance(p, r) + jensen_shannon_distance(r, q) + 1e-9);
  RC_ASSERT(total_variation(p, q) <= total_variation(p, r) + total_variation(r, q) + 1e-12);
  RC_ASSERT(std::abs(jensen_shannon_distance(p, q) - jensen_shannon_distance(q, p)) < 1e-12);
  RC_ASSERT(total_variation(p, q) <= 1.0 + 1e-12);
}

RC_GTEST_PROP(Softmax, IgnoresAShiftAndSumsToOne, ()) {
  const auto raw = *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(-900, 900));
  const std::vector<double> x(raw.begin(), raw.end());
  std::vector<double> shifted = x;
  for (double& v : shifted) v += 250.0;
  const auto p = softmax(x), q = softmax(shifted);
  RC_ASSERT(std::abs(pairwise_sum(p) - 1.0) < 1e-12);
  RC_ASSERT(total_variation(p, q) < 1e-12);
}

}  // namespace
}  // namespace valence::stats
