#include "valence/stats/reliability.h"

#include <gtest/gtest.h>

#include <cmath>

#include "valence/base/random.h"
#include "valence/stats/correlation.h"

namespace valence::stats {
namespace {

TEST(SpearmanBrown, OfHalvesIsTheKnownFormula) {
  EXPECT_NEAR(spearman_brown(0.6), 2 * 0.6 / 1.6, 1e-12);
  EXPECT_NEAR(spearman_brown(1.0), 1.0, 1e-12);
  EXPECT_EQ(spearman_brown(-0.3), -0.3);
  EXPECT_TRUE(std::isnan(spearman_brown(std::nan(""))));
}

TEST(SpearmanBrown, UnequalPartsGiveMoreBackThanHalves) { EXPECT_GT(spearman_brown(0.6, 0.3), spearman_brown(0.6)); }

TEST(Disattenuated, DividesByTheRootOfBothReliabilities) {
  EXPECT_NEAR(disattenuated(0.4, 0.64, 0.25), 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(disattenuated(0.4, 0.2, 0.9)));
  EXPECT_TRUE(std::isnan(disattenuated(0.4, std::nan(""), 0.9)));
}

TEST(SpearmanPermutation, OfThreeValuesCountsSixOrders) {
  const std::vector<double> x = {1, 2, 3};
  EXPECT_NEAR(spearman_permutation_p(x, x, 100, 1), 2.0 / 6.0, 1e-12);  // the same order and its reverse
  const std::vector<double> ten = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_NEAR(spearman_permutation_p(ten, ten, 999, 1), 0.001, 1e-12);  // none of 999 random orders
  EXPECT_TRUE(std::isnan(spearman_permutation_p(x, std::vector<double>{1, 1, 1}, 100, 1)));
}

/// Means over units of ten figures, each the truth plus noise of its own.
WeightedEstimator noisy_means(std::size_t units, double noise, std::uint64_t seed) {
  RandomStream stream(seed, "figures");
  std::vector<std::vector<double>> values(units);
  for (auto& unit : values) {
    for (int d = 0; d < 10; ++d) unit.push_back(d / 10.0 + noise * stream.normal());
  }
  return [values](std::span<const double> weights) {
    std::vector<double> sums(10, 0.0);
    double weight = 0.0;
    for (std::size_t u = 0; u < values.size(); ++u) {
      weight += weights[u];
      for (std::size_t d = 0; d < 10; ++d) sums[d] += weights[u] * values[u][d];
    }
    for (auto& sum : sums) sum /= weight;
    return sums;
  };
}

TEST(SplitHalf, IsOneWithoutNoiseAndFallsWithIt) {
  EXPECT_NEAR(split_half(noisy_means(20, 0.0, 1), 20, {}, 50, 1)->reliability, 1.0, 1e-12);
  const double some = split_half(noisy_means(20, 0.5, 1), 20, {}, 50, 1)->reliability;
  const double much = split_half(noisy_means(20, 5.0, 1), 20, {}, 50, 1)->reliability;
  EXPECT_LT(some, 1.0);
  EXPECT_LT(much, some);
}

TEST(SplitHalf, NeedsFourDraws) {
  EXPECT_TRUE(std::isnan(split_half(noisy_means(3, 0.1, 1), 3, {}, 50, 1)->reliability));
  EXPECT_TRUE(std::isnan(split_half(noisy_means(6, 0.1, 1), 6, std::vector<std::size_t>{0, 0, 1, 1, 2, 2}, 50, 1)->reliability));
  EXPECT_FALSE(split_half(noisy_means(6, 0.1, 1), 6, std::vector<std::size_t>{0, 1}, 50, 1));
}

TEST(Disattenuated, UndoesNoiseOnAverage) {
  double raw = 0.0, corrected = 0.0;
  constexpr int kTrials = 60;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto seed = static_cast<std::uint64_t>(trial);
    const auto a = noisy_means(16, 1.0, 2 * seed + 1), b = noisy_means(16, 1.0, 2 * seed + 2);
    const std::vector<double> all(16, 1.0);
    const double r = spearman(a(all), b(all));
    const double fixed = disattenuated(r, split_half(a, 16, {}, 40, seed)->reliability, split_half(b, 16, {}, 40, seed)->reliability);
    raw += r / kTrials;
    corrected += (std::isnan(fixed) ? r : fixed) / kTrials;
  }
  EXPECT_LT(raw, 0.75);            // the truths agree perfectly
  EXPECT_NEAR(corrected, 1.0, 0.15);
}

}  // namespace
}  // namespace valence::stats
