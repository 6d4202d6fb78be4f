#include "valence/stats/compare.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>

#include "valence/stats/bootstrap.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"

namespace valence::stats {
namespace {

std::vector<double> noise(std::uint64_t seed, std::size_t count) {
  RandomStream stream(seed, "noise");
  std::vector<double> x(count);
  for (double& v : x) v = stream.normal();
  return x;
}

std::vector<double> plus(std::vector<double> x, double shift) {
  for (double& v : x) v += shift;
  return x;
}

Replicates mean_replicates(const std::vector<double>& data, std::uint64_t seed = 1, std::size_t count = 500) {
  return replicate([&](std::span<const double> w) { return std::vector{weighted_mean(data, w)}; }, data.size(), {},
                   count, seed)
      .value();
}

TEST(ComparePaired, WhatUnitsShareCancels) {
  const auto base = noise(3, 20);
  const auto result = compare_paired(mean_replicates(base), mean_replicates(plus(base, 0.25)), "dialogue").value()[0];
  EXPECT_NEAR(result.difference.value, 0.25, 1e-12);
  EXPECT_NEAR(result.difference.high - result.difference.low, 0.0, 1e-12);
  EXPECT_LT(result.p, 0.02);
  EXPECT_EQ(result.difference.method, "paired expanded percentile bootstrap (500 replicates)");
}

TEST(ComparePaired, ASubjectDoesNotDifferFromItself) {
  const auto base = mean_replicates(noise(3, 20));
  const auto result = compare_paired(base, base, "dialogue").value()[0];
  EXPECT_EQ(result.difference.value, 0.0);
  EXPECT_EQ(result.p, 1.0);
}

TEST(ComparePaired, PAgreesWithTheTTestOnAMean) {
  const auto first = noise(3, 25), second = plus(noise(4, 25), 0.5);
  const auto result =
      compare_paired(mean_replicates(first, 1, 20000), mean_replicates(second, 1, 20000), "dialogue").value()[0];
  const auto exact = student_paired(first, second, "dialogue");
  const double error = (exact.high - exact.value) / student_quantile(0.975, 24.0);
  EXPECT_NEAR(result.p, 2.0 * student_cdf(-std::abs(exact.value) / error, 24.0), 0.02);
  EXPECT_NEAR(result.difference.low, exact.low, 0.06);
  EXPECT_NEAR(result.difference.high, exact.high, 0.06);
}

TEST(ComparePaired, PIsBelowFivePercentExactlyWhenTheIntervalExcludesZero) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    for (const std::size_t units : {6u, 30u}) {
      const auto a = mean_replicates(noise(seed, units), seed, 999);
      const auto b = mean_replicates(plus(noise(seed + 1000, units), 0.5), seed, 999);
      const auto result = compare_paired(a, b, "dialogue").value()[0];
      if (std::abs(result.p - 0.05) < 0.005) continue;  // the quantile interpolates, the tail counts
      EXPECT_EQ(result.p < 0.05, result.difference.low > 0.0 || result.difference.high < 0.0) << seed << " " << units;
    }
  }
}

TEST(ComparePaired, ReplicatesFromAStoredProfileGiveTheSame) {
  const auto a = mean_replicates(noise(3, 20)), b = mean_replicates(noise(4, 20));
  const auto stored =
      compare_paired(PairedReplicates{a.point[0], b.point[0], a.values, b.values, 20, 20}, "dialogue").value();
  const auto fresh = compare_paired(a, b, "dialogue").value()[0];
  EXPECT_EQ(stored.p, fresh.p);
  EXPECT_EQ(stored.difference.low, fresh.difference.low);
  EXPECT_EQ(stored.difference.method, fresh.difference.method);
}

TEST(ComparePaired, OneUnitHasNeitherIntervalNorP) {
  const auto result = compare_paired(mean_replicates({1.0}), mean_replicates({2.0}), "dialogue").value()[0];
  EXPECT_EQ(result.difference.value, 1.0);
  EXPECT_FALSE(result.difference.has_interval());
  EXPECT_TRUE(std::isnan(result.p));
}

TEST(ComparePaired, RefusesReplicatesOfOtherWeights) {
  const auto data = noise(3, 20);
  EXPECT_EQ(compare_paired(mean_replicates(data, 1), mean_replicates(data, 2), "dialogue").error().message,
            "a paired comparison needs the same estimands, units, clusters, replicates and seed; first: 1 estimands, "
            "20 units, 20 draws, 500 replicates, seed 1; second: 1, 20, 20, 500, seed 2");
  const std::array three{1.0, 2.0, 3.0};
  const std::array two{1.0, 2.0};
  EXPECT_EQ(compare_paired(PairedReplicates{0, 0, three, two, 5, 5}, "dialogue").error().message,
            "a paired comparison needs equally many replicates, got 3 and 2");
}

// For means, the two bootstrap errors are √((n − 1)/n)·s/√n and are corrected back: Welch's test.
TEST(CompareIndependent, AgreesWithWelchOnMeans) {
  const auto first = noise(3, 12), second = plus(noise(4, 40), 0.7);
  const auto result =
      compare_independent(mean_replicates(first, 1, 20000), mean_replicates(second, 2, 20000), "dialogue").value()[0];
  const double a = variance(first) / 12.0, b = variance(second) / 40.0;
  const double df = (a + b) * (a + b) / (a * a / 11.0 + b * b / 39.0);
  EXPECT_NEAR(result.p, 2.0 * student_cdf(-std::abs(mean(second) - mean(first)) / std::sqrt(a + b), df), 0.01);
  EXPECT_EQ(result.difference.count, 52u);
  EXPECT_EQ(result.difference.method, "independent, Welch t on the bootstrap (20000 and 20000 replicates)");
}

TEST(CompareIndependent, ASingleAdministrationHasNoP) {
  const auto result = compare_independent(mean_replicates({1.0}), mean_replicates(noise(4, 20)), "dialogue").value()[0];
  EXPECT_TRUE(std::isnan(result.p));
  EXPECT_EQ(result.difference.method, "no interval: a subject with a single administration");
}

// m = 4: 0.01·4, 0.02·3 → 0.06, 0.03·2 stays 0.06, 0.04·1 stays 0.06.
TEST(Holm, StepsDownAndNeverDecreases) {
  const auto adjusted = holm(std::array{0.03, 0.01, 0.04, 0.02});
  EXPECT_NEAR(adjusted[1], 0.04, 1e-15);
  EXPECT_NEAR(adjusted[3], 0.06, 1e-15);
  EXPECT_NEAR(adjusted[0], 0.06, 1e-15);
  EXPECT_NEAR(adjusted[2], 0.06, 1e-15);
}

TEST(BenjaminiHochberg, StepsUpAndNeverDecreases) {
  const auto adjusted = benjamini_hochberg(std::array{0.03, 0.01, 0.5, 0.02});  // 0.04, 0.04, 0.04, 0.5
  EXPECT_NEAR(adjusted[0], 0.04, 1e-15);
  EXPECT_NEAR(adjusted[1], 0.04, 1e-15);
  EXPECT_NEAR(adjusted[3], 0.04, 1e-15);
  EXPECT_NEAR(adjusted[2], 0.5, 1e-15);
}

TEST(Holm, UndefinedPValuesAreNoMembersOfTheFamily) {
  const auto adjusted = holm(std::array{0.02, std::nan(""), 0.03});
  EXPECT_NEAR(adjusted[0], 0.04, 1e-15);
  EXPECT_TRUE(std::isnan(adjusted[1]));
  EXPECT_NEAR(adjusted[2], 0.04, 1e-15);
}

RC_GTEST_PROP(Corrections, KeepOrderAndHolmIsTheStricter, ()) {
  const auto raw = *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(0, 1001));
  std::vector<double> p;
  for (const int x : raw) p.push_back(x / 1000.0);
  const auto strict = holm(p), lax = benjamini_hochberg(p);
  for (std::size_t i = 0; i < p.size(); ++i) {
    RC_ASSERT(p[i] <= lax[i] + 1e-12 && lax[i] <= strict[i] + 1e-12 && strict[i] <= 1.0);
    for (std::size_t j = 0; j < p.size(); ++j) RC_ASSERT(p[i] >= p[j] || (strict[i] <= strict[j] && lax[i] <= lax[j]));
  }
}

}  // namespace
}  // namespace valence::stats
