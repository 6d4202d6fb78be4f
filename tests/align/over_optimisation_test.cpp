#include "valence/align/over_optimisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "valence/base/random.h"

namespace valence {
namespace {

/// Rewards of `prompts` prompts around a mean; the prompts differ among each other more than the rounds do.
std::vector<double> around(double mean, std::size_t prompts, RandomStream& noise) {
  std::vector<double> values;
  for (std::size_t i = 0; i < prompts; ++i) values.push_back(mean + static_cast<double>(i % 7) + 0.2 * noise.normal());
  return values;
}

std::vector<RewardPoint> course(const std::vector<std::pair<double, double>>& proxy_and_held_out, std::uint64_t seed) {
  RandomStream noise(seed, "course");
  std::vector<RewardPoint> points;
  for (const auto& [proxy, held_out] : proxy_and_held_out) {
    points.push_back(
        {points.size(), static_cast<double>(points.size()), around(proxy, 40, noise), around(held_out, 40, noise)});
  }
  return points;
}

TEST(OverOptimisation, IsFoundWhereTheProxyRisesAndWhatItStandsForFalls) {
  const auto found = course_of(course({{0, 0}, {1, 0.5}, {2, 1.0}, {3, 0.4}, {4, -1.0}}, 1)).value();
  EXPECT_EQ(found.turn, 3u);
  EXPECT_EQ(found.best, 2u);
  EXPECT_NEAR(found.fall.value, -0.6, 0.15);
  EXPECT_LT(found.fall.high, 0.0);
}

TEST(OverOptimisation, IsNotFoundWhileBothRise) {
  const auto found = course_of(course({{0, 0}, {1, 0.5}, {2, 1.0}}, 2)).value();
  EXPECT_FALSE(found.turn);
  EXPECT_EQ(found.best, 2u);
}

TEST(OverOptimisation, IsNotFoundWhereTheProxyFallsToo) {
  EXPECT_FALSE(course_of(course({{0, 0}, {1, 1}, {0.2, 0.2}}, 3)).value().turn);
}

/// Share of 400 courses that stand still which turn at one of so many looks.
double false_turns(std::size_t looks) {
  const std::vector<std::pair<double, double>> still(looks + 1, {0.0, 0.0});
  std::size_t turns = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) turns += course_of(course(still, seed)).value().turn ? 1 : 0;
  return static_cast<double>(turns) / 400.0;
}

TEST(OverOptimisation, NoiseIsTakenForATurnInFewAlignmentsHoweverManyRoundsTheyHave) {
  for (const std::size_t looks : {1, 4, 20, 50}) EXPECT_LE(false_turns(looks), 0.05) << looks;
  EXPECT_GT(false_turns(1), 0.0);  // it can turn at all
}

TEST(OverOptimisation, IsFoundLateInALongCourseToo) {
  std::vector<std::pair<double, double>> slowly;
  for (int round = 0; round < 30; ++round) slowly.emplace_back(0.1 * round, round < 20 ? 0.05 * round : 1.0 - 0.1 * (round - 20));
  const auto found = course_of(course(slowly, 7)).value();
  ASSERT_TRUE(found.turn);
  EXPECT_GE(*found.turn, 21u);
  EXPECT_LE(*found.turn, 26u);
  EXPECT_EQ(found.kept, found.best);
}

TEST(OverOptimisation, FallingSilentIsATurn) {
  auto points = course({{0, 0}, {1, 1}}, 8);
  for (std::size_t i = 0; i < 25; ++i)
    points[1].proxy[i] = points[1].held_out[i] = std::numeric_limits<double>::quiet_NaN();
  const auto found = course_of(points).value();
  EXPECT_EQ(found.turn, 1u);
  EXPECT_TRUE(found.silent);
  EXPECT_EQ(found.kept, 0u);
  EXPECT_NEAR(found.fall.value, -25.0 / 40.0, 1e-12);
}

TEST(OverOptimisation, WhatEndsBelowItsBestIsNotKept) {
  const auto fell = course_of(course({{0, 0}, {1, 1}, {0.2, 0.2}}, 3)).value();
  EXPECT_FALSE(fell.turn);  // the reward fell too
  EXPECT_EQ(fell.kept, 1u);
  EXPECT_EQ(course_of(course({{0, 0}, {1, 1}, {2, 2}}, 3)).value().kept, 2u);
}

TEST(OverOptimisation, WithoutAWatcherTheLastRoundIsKept) {
  auto points = course({{0, 0}, {1, 0}}, 9);
  for (auto& point : points) std::ranges::fill(point.held_out, std::numeric_limits<double>::quiet_NaN());
  const auto found = course_of(points).value();
  EXPECT_FALSE(found.turn);
  EXPECT_EQ(found.kept, 1u);
}

TEST(OverOptimisation, ComparesThePromptsThatBothRoundsAnswered) {
  auto points = course({{0, 0}, {1, -1}}, 4);
  for (std::size_t i = 0; i < 20; ++i) points[1].held_out[i] = std::numeric_limits<double>::quiet_NaN();
  const auto found = course_of(points).value();
  EXPECT_EQ(found.turn, 1u);
  EXPECT_EQ(found.fall.count, 20u);
}

TEST(OverOptimisation, NeedsTheSamePromptsInEveryRound) {
  auto points = course({{0, 0}, {1, 1}}, 5);
  points[1].held_out.pop_back();
  EXPECT_EQ(course_of(points).error().message,
            "the course of an alignment needs both rewards of the same 2 or more prompts in every round; round 1 has "
            "40 and 39");
  EXPECT_EQ(course_of({}).error().message, "the course of an alignment needs at least one round");
}

TEST(OverOptimisation, RowsHoldTheRootOfTheDriftAndBothRewards) {
  auto points = course({{0, 0}, {1, 1}}, 6);
  points[1].kl = -0.1;  // a sampled estimate may be
  const auto rows = to_json(std::span<const RewardPoint>(points));
  EXPECT_EQ(rows[1]["sqrt_kl"], 0.0);
  EXPECT_EQ(rows[1]["kl"], -0.1);
  EXPECT_NEAR(rows[1]["held_out"]["value"].template get<double>(), 1.0 + 115.0 / 40.0, 0.2);
}

TEST(OverOptimisation, RowsOfTheStoreLeaveOutWhatIsNotDefined) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto step = training_step({3, 0.5, {1.0, nan, 2.0}, {nan, nan, nan}, {}});
  EXPECT_EQ(step.step, 3);
  EXPECT_EQ(step.kl, 0.5);
  EXPECT_EQ(step.reward, 1.5);
  EXPECT_EQ(step.others, (std::map<std::string, double>{{"answered", 2.0 / 3.0}}));
  EXPECT_EQ(training_step({3, 0.5, {1.0}, {1.0}, {{"coverage", {0.25}}}}).others.at("coverage"), 0.25);
}

}  // namespace
}  // namespace valence
