#include "valence/stats/resample.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <numeric>

#include "valence/stats/distribution.h"

namespace valence::stats {
namespace {

double total(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

TEST(BootstrapWeights, ArePinnedBySeed) {
  const auto first = bootstrap_weights(8, {}, 3, RandomStream(1, "bootstrap"));
  EXPECT_EQ(first, bootstrap_weights(8, {}, 3, RandomStream(1, "bootstrap")));
  EXPECT_NE(first, bootstrap_weights(8, {}, 3, RandomStream(2, "bootstrap")));
}

TEST(BootstrapWeights, MoreReplicatesKeepTheEarlierOnes) {
  const auto few = bootstrap_weights(8, {}, 3, RandomStream(1, "bootstrap"));
  const auto many = bootstrap_weights(8, {}, 10, RandomStream(1, "bootstrap"));
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

TEST(BootstrapWeights, HaveMultinomialMeanAndVariance) {
  constexpr std::size_t kUnits = 20, kRows = 20000;
  std::vector<double> first;
  for (const auto& row : bootstrap_weights(kUnits, {}, kRows, RandomStream(7, "bootstrap"))) first.push_back(row[0]);
  EXPECT_NEAR(mean(first), 1.0, 0.03);
  EXPECT_NEAR(variance(first), 1.0 - 1.0 / kUnits, 0.05);
}

RC_GTEST_PROP(BootstrapWeights, SumToTheNumberDrawn, ()) {
  const auto units = *rc::gen::inRange<std::size_t>(1, 40);
  for (const auto& row : bootstrap_weights(units, {}, 5, RandomStream(3, "bootstrap"))) {
    RC_ASSERT(total(row) == static_cast<double>(units));
  }
}

TEST(ClusterBootstrap, GivesEveryUnitItsClustersCount) {
  const std::array<std::size_t, 6> clusters{9, 9, 4, 4, 4, 7};
  for (const auto& row : bootstrap_weights(6, clusters, 50, RandomStream(5, "bootstrap"))) {
    EXPECT_EQ(row[0], row[1]);
    EXPECT_EQ(row[2], row[3]);
    EXPECT_EQ(row[3], row[4]);
    EXPECT_EQ(row[0] + row[2] + row[5], 3.0);  // three clusters drawn
  }
}

TEST(Jackknife, LeavesOutOneUnitOrOneCluster) {
  EXPECT_EQ(jackknife_weights(3, {}), (std::vector<std::vector<double>>{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}}));
  EXPECT_EQ(jackknife_weights(3, std::array<std::size_t, 3>{5, 2, 5}),
            (std::vector<std::vector<double>>{{0, 1, 0}, {1, 0, 1}}));
}

TEST(ClusterIds, NumberNamesByFirstAppearance) {
  const std::vector<std::string> names{"kill", "lie", "kill", ""};
  EXPECT_EQ(cluster_ids(names), (std::vector<std::size_t>{0, 1, 0, 2}));
}

const std::array kData{3.0, 1.0, 4.0, 1.0, 5.0};
std::vector<double> mean_and_square(std::span<const double> weights) {
  const double m = weighted_mean(kData, weights);
  return {m, m * m};
}

TEST(Replicate, EvaluatesDataBootstrapAndJackknife) {
  const auto replicates = replicate(mean_and_square, 5, {}, 40, 11).value();
  EXPECT_EQ(replicates.dims, 2u);
  EXPECT_EQ(replicates.draws, 5u);
  EXPECT_EQ(replicates.count(), 40u);
  EXPECT_DOUBLE_EQ(replicates.point[0], 2.8);
  EXPECT_DOUBLE_EQ(replicates.jackknife_column(0)[4], 9.0 / 4.0);
  const auto weights = bootstrap_weights(5, {}, 40, RandomStream(11, "bootstrap"));
  EXPECT_DOUBLE_EQ(replicates.column(1)[17], mean_and_square(weights[17])[1]);
}

TEST(Replicate, OneUnitHasNothingToResample) {
  const auto replicates = replicate([](std::span<const double>) { return std::vector{22.9}; }, 1, {}, 40, 0).value();
  EXPECT_EQ(replicates.count(), 0u);
  EXPECT_EQ(replicates.point, std::vector{22.9});
}

TEST(Replicate, SaysWhatIsWrong) {
  EXPECT_EQ(replicate(mean_and_square, 0, {}, 40, 0).error().message,
            "nothing to estimate from: there are no units");
  EXPECT_EQ(replicate(mean_and_square, 5, {}, 0, 0).error().message,
            "an interval needs at least 1 bootstrap replicate, got 0");
  EXPECT_EQ(replicate(mean_and_square, 5, std::array<std::size_t, 2>{0, 1}, 9, 0).error().message,
            "clusters need one id per unit: 5 units, 2 ids");
  const auto fickle = [](std::span<const double> w) { return std::vector<double>(w[0] == 1.0 ? 1 : 2); };
  EXPECT_EQ(replicate(fickle, 5, {}, 40, 0).error().message,
            "the estimator returned 1 numbers on the data and 2 on reweighted data; it must always return one per "
            "estimand");
}

}  // namespace
}  // namespace valence::stats
