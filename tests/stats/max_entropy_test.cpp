#include "valence/stats/max_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "valence/stats/distribution.h"

namespace valence::stats {
namespace {

// Jaynes's die: six faces whose mean is 4.5 instead of 3.5 (Jaynes 1957; faces 1–6 are the steps 0–5).
TEST(MaxEntropy, GivesTheDieOfJaynes) {
  const auto p = max_entropy(6, 3.5);
  ASSERT_TRUE(p) << p.error().message;
  const std::vector<double> published = {0.05435, 0.07877, 0.11416, 0.16545, 0.23977, 0.34749};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR((*p)[i], published[i], 1e-5) << i;
}

TEST(MaxEntropy, IsUniformInTheMiddleAndCertainAtTheEnds) {
  const auto middle = *max_entropy(6, 2.5);
  for (const double x : middle) EXPECT_NEAR(x, 1.0 / 6, 1e-12);
  EXPECT_EQ(*max_entropy(6, 0.0), (std::vector<double>{1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(*max_entropy(6, 5.0), (std::vector<double>{0, 0, 0, 0, 0, 1}));
}

TEST(MaxEntropy, HasTheMeanAndTheDeviationAskedFor) {
  for (const double mean : {0.4, 1.0, 2.5, 3.2, 4.9}) {
    for (const double share : {0.1, 0.5, 0.9}) {
      const auto [low, high] = deviations_with_mean(6, mean);
      const double deviation = low + share * (high - low);
      const auto p = max_entropy(6, mean, deviation);
      ASSERT_TRUE(p) << p.error().message;
      EXPECT_NEAR(mean_step(*p), mean, 1e-9);
      EXPECT_NEAR(step_deviation(*p), deviation, 1e-9);
    }
  }
}

TEST(MaxEntropy, OfAllWithThatMeanItHasTheLargestEntropy) {
  const auto best = *max_entropy(6, 3.1);
  for (const double deviation : {0.5, 1.0, 1.4, 2.0}) {
    EXPECT_GT(entropy(best), entropy(*max_entropy(6, 3.1, deviation))) << deviation;
  }
  // Asked for the deviation that it has anyway, it is the same one.
  const auto again = *max_entropy(6, 3.1, step_deviation(best));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(again[i], best[i], 1e-6);
}

TEST(MaxEntropy, AtTheBoundsOneDistributionIsLeft) {
  EXPECT_EQ(*max_entropy(6, 3.0, 0.0), (std::vector<double>{0, 0, 0, 1, 0, 0}));
  const auto narrow = *max_entropy(6, 3.25, std::sqrt(0.25 * 0.75));
  EXPECT_NEAR(narrow[3], 0.75, 1e-12);
  EXPECT_NEAR(narrow[4], 0.25, 1e-12);
  const auto wide = *max_entropy(6, 3.0, std::sqrt(6.0));
  EXPECT_NEAR(wide[0], 0.4, 1e-12);
  EXPECT_NEAR(wide[5], 0.6, 1e-12);
}

TEST(MaxEntropy, WhatCannotBeIsRefused) {
  EXPECT_EQ(max_entropy(6, 5.5).error().message, "the mean over 6 steps lies within 0 and 5, got 5.5");
  EXPECT_EQ(max_entropy(1, 0.0).error().message, "a scale has at least 2 steps, got 1");
  EXPECT_EQ(max_entropy(6, 2.5, 0.1).error().message,
            "no distribution over 6 steps has the mean 2.5 and the standard deviation 0.1: it lies within 0.5 and 2.5");
}

}  // namespace
}  // namespace valence::stats
