#include "valence/stats/correlation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>

namespace valence::stats {
namespace {

TEST(MidRanks, TiesShareTheMeanOfTheirRanks) {
  EXPECT_EQ(mid_ranks(std::array{10.0, 30.0, 20.0, 20.0, 5.0}), (std::vector{2.0, 5.0, 3.5, 3.5, 1.0}));
}

// Deviations (−2 −1 0 1 2) and (−2 0 −1 2 1): 8 / 10.
TEST(Correlation, ByHand) {
  const std::array x{1.0, 2.0, 3.0, 4.0, 5.0}, y{1.0, 3.0, 2.0, 5.0, 4.0};
  EXPECT_NEAR(pearson(x, y), 0.8, 1e-15);
  EXPECT_NEAR(spearman(x, y), 0.8, 1e-15);       // 1 − 6·4/(5·24)
  EXPECT_NEAR(kendall_tau_b(x, y), 0.6, 1e-15);  // 8 concordant, 2 discordant of 10
}

TEST(Correlation, RanksSeeOrderOnly) {
  const std::array x{1.0, 2.0, 3.0, 4.0}, y{1.0, 10.0, 100.0, 1000.0};
  EXPECT_LT(pearson(x, y), 0.9);
  EXPECT_DOUBLE_EQ(spearman(x, y), 1.0);
  EXPECT_DOUBLE_EQ(kendall_tau_b(x, y), 1.0);
}

// Ranks (1, 2.5, 2.5, 4) and (1, 2, 3, 4): Spearman 4.5/√(4.5·5). Five of six pairs count for x: 5/√(5·6).
TEST(Correlation, TiesByHand) {
  const std::array x{1.0, 2.0, 2.0, 3.0}, y{1.0, 2.0, 3.0, 4.0};
  EXPECT_NEAR(spearman(x, y), 4.5 / std::sqrt(22.5), 1e-12);
  EXPECT_NEAR(kendall_tau_b(x, y), 5.0 / std::sqrt(30.0), 1e-12);
}

TEST(Correlation, AConstantHasNone) {
  const std::array x{2.0, 2.0, 2.0}, y{1.0, 2.0, 3.0};
  EXPECT_TRUE(std::isnan(pearson(x, y)));
  EXPECT_TRUE(std::isnan(spearman(x, y)));
  EXPECT_TRUE(std::isnan(kendall_tau_b(x, y)));
}

RC_GTEST_PROP(Correlation, IsSymmetricBoundedAndFlipsWithTheSign, ()) {
  const auto a = *rc::gen::container<std::vector<int>>(8, rc::gen::inRange(-5, 6));
  const auto b = *rc::gen::container<std::vector<int>>(8, rc::gen::inRange(-5, 6));
  const std::vector<double> x(a.begin(), a.end()), y(b.begin(), b.end());
  std::vector<double> minus_y(y);
  for (double& v : minus_y) v = -v;
  for (const auto correlation : {pearson, spearman, kendall_tau_b}) {
    const double r = correlation(x, y);
    RC_PRE(!std::isnan(r));
    RC_ASSERT(std::abs(r) <= 1.0 + 1e-12);
    RC_ASSERT(std::abs(r - correlation(y, x)) < 1e-12);
    RC_ASSERT(std::abs(r + correlation(x, minus_y)) < 1e-12);
  }
}

}  // namespace
}  // namespace valence::stats
