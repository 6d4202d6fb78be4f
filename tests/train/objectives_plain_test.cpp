// What needs no torch: advantages, KL control, several rewards. Worked numbers: specs, alignment methods §4.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "objectives/advantages.h"
#include "objectives/several_rewards.h"
#include "valence/base/random.h"

namespace valence::train {
namespace {

void expect_near(const std::vector<double>& got, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << "entry " << i;
}

const std::vector<double> kRewards{1, 0, .5, 1};

TEST(GroupAdvantages, MatchTheWorkedNumbers) {
  expect_near(group_advantages(kRewards, GroupScale::kSampleDeviation, 0).value(),
              {.7833494518, -1.3055824197, -.2611164839, .7833494518}, 1e-10);
  expect_near(group_advantages(kRewards, GroupScale::kSampleDeviation, 1e-4).value(),
              {.7831858496, -1.3053097494, -.2610619499, .7831858496}, 1e-10);
  expect_near(group_advantages(kRewards, GroupScale::kPopulationDeviation, 0).value(),
              {.9045340337, -1.5075567229, -.3015113446, .9045340337}, 1e-10);
  expect_near(group_advantages(kRewards, GroupScale::kNone).value(), {.375, -.625, -.125, .375}, 1e-12);
}

TEST(GroupAdvantages, AGroupOfEqualRewardsTeachesNothing) {
  for (const auto scale : {GroupScale::kSampleDeviation, GroupScale::kPopulationDeviation, GroupScale::kNone}) {
    expect_near(group_advantages(std::vector<double>{2, 2, 2}, scale).value(), {0, 0, 0}, 0);
    expect_near(group_advantages(std::vector<double>{2, 2, 2}, scale, 0).value(), {0, 0, 0}, 0);
  }
}

TEST(GroupAdvantages, OneAnswerHasNone) {
  const auto none = group_advantages(std::vector<double>{1}, GroupScale::kNone);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "advantages within a group need at least 2 answers to a prompt, got 1");
}

TEST(LeaveOneOut, MatchesTheWorkedNumbersAndSumsToZero) {
  const auto advantages = leave_one_out_advantages(kRewards).value();
  expect_near(advantages, {.5, -.8333333333, -.1666666667, .5}, 1e-10);
  EXPECT_NEAR(std::accumulate(advantages.begin(), advantages.end(), 0.0), 0.0, 1e-12);
}

TEST(Advantages, AreInvariantAsTheirPapersSay) {
  RandomStream stream(1, "rewards");
  for (int round = 0; round < 50; ++round) {
    std::vector<double> rewards, shifted, scaled;
    for (int i = 0; i < 6; ++i) rewards.push_back(stream.normal());
    for (const double r : rewards) shifted.push_back(r + 7), scaled.push_back(3 * r);
    expect_near(leave_one_out_advantages(shifted).value(), leave_one_out_advantages(rewards).value(), 1e-12);
    const auto group = group_advantages(rewards, GroupScale::kSampleDeviation).value();
    expect_near(group_advantages(shifted, GroupScale::kSampleDeviation).value(), group, 1e-9);
    expect_near(group_advantages(scaled, GroupScale::kSampleDeviation).value(), group,
                2e-3);  // up to the floor of 1e-4
    const auto rloo = leave_one_out_advantages(rewards).value(), rloo_scaled = leave_one_out_advantages(scaled).value();
    for (std::size_t i = 0; i < rloo.size(); ++i) EXPECT_NEAR(rloo_scaled[i], 3 * rloo[i], 1e-12);
  }
}

TEST(Gae, MatchesTheWorkedNumbers) {
  const std::vector<double> rewards{-.02, -.01, .97}, values{.5, .6, .7};
  const auto one = generalised_advantages(rewards, values, 1, .95).value();
  expect_near(one.advantages, {.409175, .3465, .27}, 1e-12);
  expect_near(one.returns, {.909175, .9465, .97}, 1e-12);
  expect_near(generalised_advantages(rewards, values, .99, .95)->advantages, {.3908873675, .336935, .27}, 1e-12);
}

TEST(Gae, NeedsAValueForEveryReward) {
  const auto wrong = generalised_advantages(std::vector<double>{1, 2}, std::vector<double>{1}, 1, 1);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "advantages need a value for each of 2 rewards, got 1");
}

TEST(Gae, ReturnsAreTakenBeforeWhitening) {
  const std::vector<double> rewards{0, 1}, values{.2, .4};
  auto gae = generalised_advantages(rewards, values, 1, 1).value();
  const auto returns = gae.returns;
  whiten(gae.advantages);
  EXPECT_NEAR(gae.advantages[0] + gae.advantages[1], 0, 1e-12);
  expect_near(gae.returns, returns, 0);
  expect_near(returns, {1, 1}, 1e-12);
}

TEST(Whitening, GivesMeanZeroAndVarianceOne) {
  std::vector<double> numbers{1, 2, 3, 10};
  whiten(numbers);
  double sum = 0, squares = 0;
  for (const double x : numbers) sum += x, squares += x * x;
  EXPECT_NEAR(sum, 0, 1e-12);
  EXPECT_NEAR(squares / 4, 1, 1e-6);
  std::vector<double> kept{1, 2, 3, 10};
  whiten(kept, true);
  EXPECT_NEAR((kept[0] + kept[1] + kept[2] + kept[3]) / 4, 4, 1e-12);
}

TEST(TokenRewards, PutTheAnswersRewardOnItsLastToken) {
  expect_near(token_rewards(std::vector<double>{.1, .2, .4}, .5, 1), {-.05, -.1, .8}, 1e-12);
}

TEST(MissingEnd, CostsItsPenalty) {
  std::vector<double> rewards{1, 2};
  penalise_missing_end(rewards, {true, false}, .5);
  expect_near(rewards, {1, 1.5}, 0);
}

TEST(AdaptiveKl, MovesByAtMostAFifthOfItsGain) {
  AdaptiveKl control(.05, 6, .1);
  control.update(6);
  EXPECT_NEAR(control.beta(), .05, 1e-15);
  control.update(600);
  EXPECT_NEAR(control.beta(), .05 * 1.02, 1e-15);
  control.update(0);
  EXPECT_NEAR(control.beta(), .05 * 1.02 * .98, 1e-15);
}

TEST(SafeRlhf, TheMultiplierRisesWhileTheConstraintIsBroken) {
  Lagrangian lagrangian(1, .1);
  lagrangian.update(2);
  EXPECT_NEAR(lagrangian.multiplier(), std::exp(.2), 1e-12);
  lagrangian.update(-2);
  EXPECT_NEAR(lagrangian.multiplier(), 1, 1e-12);
  EXPECT_NEAR(lagrangian.combine(1, .5), .25, 1e-12);
}

// Two actions: reward (1, 0), cost (1, −1), limit 0: the best that is allowed mixes them half and half.
TEST(SafeRlhf, OnABanditFindsTheConstrainedOptimum) {
  double logit = 0, mean = 0;
  Lagrangian lagrangian(.5, .02);
  for (int step = 0; step < 40000; ++step) {
    const double p = 1 / (1 + std::exp(-logit));
    const double slope = p * (1 - p);
    logit += .05 * slope * lagrangian.combine(1 - 0, 1 - -1);
    lagrangian.update(p * 1 + (1 - p) * -1);
    if (step >= 20000) mean += p / 20000;
  }
  EXPECT_NEAR(mean, .5, .02);
}

TEST(MaxMin, LooksAtTheGroupThatIsWorstOff) {
  EXPECT_EQ(worst_group(std::vector<double>{.4, .1, .1}).value(), 1U);
  EXPECT_EQ(worst_group(std::vector<double>{}).error().message, "the worst group of none cannot be told");
}

// Groups want opposite actions: rewards (1, 0) and (0, .5). The maximin gives both the same: p = (1 − p)/2.
TEST(MaxMin, ReweighingGroupsFindsTheMaximin) {
  std::vector<double> weights{.5, .5};
  double logit = 0, mean = 0;
  for (int step = 0; step < 40000; ++step) {
    const double p = 1 / (1 + std::exp(-logit));
    logit += .05 * p * (1 - p) * (weights[0] * 1 - weights[1] * .5);
    weights = reweigh_groups(weights, std::vector<double>{p, (1 - p) * .5}, .02).value();
    if (step >= 20000) mean += p / 20000;
  }
  EXPECT_NEAR(mean, 1.0 / 3, .02);
}

TEST(MaxMin, WeightsStayADistribution) {
  const auto weights = reweigh_groups(std::vector<double>{.2, .8}, std::vector<double>{-1000, 1000}, 1).value();
  EXPECT_NEAR(weights[0] + weights[1], 1, 1e-12);
  EXPECT_NEAR(weights[0], 1, 1e-12);
}

}  // namespace
}  // namespace valence::train
