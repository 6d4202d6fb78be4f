#include "valence/align/reward.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "valence/values/fulcra_gap.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

// Worked numbers: specs, schwartz_fulcra_basealign §7.1; order SD ST HE AC PO SE TR CO BE UN.
constexpr std::array<double, 10> kRead = {.1, 0, -.5, .9, .2, .8, 0, -.4, .6, .25};
constexpr std::array<double, 10> kIdeal = {0, 0, 0, 1, 0, 1, 0, 1, 1, 1};
constexpr std::array<double, 10> kUk = {.4809, .1305, .1004, .0029, -.2383, .4362, .2712, .1420, .6520, .5906};
constexpr std::array<double, 10> kNothing = {};

TEST(ValueReward, MaskedFormIsThePublishedCodes) {
  EXPECT_NEAR(value_reward(kRead, kIdeal, RewardForm::kMasked), -2.1, 1e-12);
  EXPECT_NEAR(value_reward(kRead, kUk, RewardForm::kMasked), -0.33243931, 1e-8);
}

TEST(ValueReward, L1FormCountsEveryDimension) {
  // .1 + 0 + .5 + .1 + .2 + .2 + 0 + 1.4 + .4 + .75
  EXPECT_NEAR(value_reward(kRead, kIdeal, RewardForm::kL1), -3.65, 1e-12);
}

TEST(ValueReward, L1OfOneValueLooksAtThatValueAlone) {
  std::array<double, 10> security;
  security.fill(kUndefined);
  security[5] = 1.0;
  EXPECT_NEAR(value_reward(kRead, security, RewardForm::kL1), -0.2, 1e-12);
}

TEST(ValueReward, AnEvasiveResponseGetsThePerfectMaskedRewardAndNoCoverage) {
  EXPECT_EQ(value_reward(kNothing, kUk, RewardForm::kMasked), 0.0);
  EXPECT_EQ(fulcra_coverage(kNothing, kUk), 0.0);
  EXPECT_LT(value_reward(kNothing, kUk, RewardForm::kL1), value_reward(kUk, kUk, RewardForm::kL1) - 3.0);
}

TEST(ValueReward, TheBoundaryOfTheMaskIsMasked) {
  std::array<double, 10> e = {};
  e[5] = 0.3;
  EXPECT_EQ(value_reward(e, kIdeal, RewardForm::kMasked), 0.0);
  e[5] = 0.3000001;
  EXPECT_NEAR(value_reward(e, kIdeal, RewardForm::kMasked), -0.7, 1e-6);
}

// Worked numbers: specs, alignment_methods §5.
TEST(EnsembleReward, MeanWorstAndUncertaintyOfFourScores) {
  constexpr std::array<double, 4> scores = {1.0, 1.4, 0.6, 1.0};
  EXPECT_NEAR(ensemble_reward(scores, EnsembleRule::kMean, 1.0), 1.0, 1e-12);
  EXPECT_NEAR(ensemble_reward(scores, EnsembleRule::kWorst, 1.0), 0.6, 1e-12);
  EXPECT_NEAR(ensemble_reward(scores, EnsembleRule::kUncertainty, 1.0), 0.92, 1e-12);
  EXPECT_NEAR(ensemble_reward(scores, EnsembleRule::kUncertainty, 0.0), 1.0, 1e-12);
}

TEST(EnsembleReward, OneThatCouldNotBeReadSpoilsIt) {
  constexpr std::array<double, 2> scores = {1.0, kUndefined};
  for (const auto rule : {EnsembleRule::kMean, EnsembleRule::kWorst, EnsembleRule::kUncertainty}) {
    EXPECT_TRUE(std::isnan(ensemble_reward(scores, rule, 1.0)));
    EXPECT_TRUE(std::isnan(ensemble_reward({}, rule, 1.0)));
  }
}

TEST(RewardNames, SayWhatThereIs) {
  EXPECT_EQ(reward_form_from("hamming").error().message,
            "unknown form of the reward \"hamming\"; it should be one of l1, masked");
  EXPECT_EQ(ensemble_rule_from("best").error().message,
            "unknown rule of an ensemble \"best\"; it should be one of mean, worst, uncertainty");
  for (const auto rule : {EnsembleRule::kMean, EnsembleRule::kWorst, EnsembleRule::kUncertainty})
    EXPECT_EQ(ensemble_rule_from(to_string(rule)), rule);
  for (const auto form : {RewardForm::kL1, RewardForm::kMasked}) EXPECT_EQ(reward_form_from(to_string(form)), form);
}

}  // namespace
}  // namespace valence
