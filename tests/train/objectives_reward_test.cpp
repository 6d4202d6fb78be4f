#include <gtest/gtest.h>

#include <cmath>

#include "gradients.h"
#include "objectives/reward_model.h"
#include "objectives/supervised.h"

namespace valence::train {
namespace {

using testing::gradient_error;
using testing::numbers;
using testing::ordinary;
using testing::value;

TEST(BradleyTerry, MatchesTheWorkedNumbers) {
  EXPECT_NEAR(value(bradley_terry_loss(numbers({1.2}), numbers({.7}))), .4740769842, 1e-10);
  EXPECT_NEAR(value(bradley_terry_loss(numbers({1.2}), numbers({.7}), numbers({.3}))), .5981388694, 1e-10);
}

TEST(BradleyTerry, CentringPullsTheSumToZero) {
  const auto plain = bradley_terry_loss(numbers({1.2}), numbers({.7}));
  EXPECT_NEAR(value(bradley_terry_loss(numbers({1.2}), numbers({.7}), {}, {.centring = .01}) - plain), .01 * 1.9 * 1.9,
              1e-12);
}

TEST(BradleyTerry, AShiftOfThePromptsRewardsChangesNothing) {
  const auto chosen = ordinary({6}, 1), rejected = ordinary({6}, 2), shift = ordinary({6}, 3);
  EXPECT_TRUE(torch::allclose(bradley_terry_loss(chosen, rejected),
                              bradley_terry_loss(chosen + shift, rejected + shift), 1e-12, 1e-12));
}

TEST(PlackettLuce, OfTwoIsBradleyTerry) {
  EXPECT_NEAR(value(plackett_luce_loss(numbers({1.2, .7}))), .4740769842, 1e-10);
}

TEST(PlackettLuce, OfEqualRewardsIsTheLogOfTheNumberOfOrders) {
  EXPECT_NEAR(value(plackett_luce_loss(numbers({3, 3, 3, 3}))), std::log(24.0), 1e-12);
}

TEST(PlackettLuce, OverAllOrdersIsAProbability) {
  const std::vector<double> r{.3, -1.1, .8};
  double sum = 0;
  for (const auto& order :
       std::vector<std::vector<int>>{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    sum += std::exp(
        -value(plackett_luce_loss(numbers({r[static_cast<std::size_t>(order[0])], r[static_cast<std::size_t>(order[1])],
                                           r[static_cast<std::size_t>(order[2])]}))));
  }
  EXPECT_NEAR(sum, 1.0, 1e-12);
}

TEST(PlackettLuce, AnswersThatAreEquallyGoodDoNotCompete) {
  const double a = .3, b = -1.1, c = .8;
  const auto before = [](double first, double others) { return std::log(std::exp(first) + others) - first; };
  // One is best: the probability that it is taken first. Two are: that each is taken before the third.
  EXPECT_NEAR(value(plackett_luce_loss(numbers({a, b, c}), numbers({2, 1, 1}))), before(a, std::exp(b) + std::exp(c)),
              1e-12);
  EXPECT_NEAR(value(plackett_luce_loss(numbers({a, b, c}), numbers({2, 2, 1}))),
              before(a, std::exp(c)) + before(b, std::exp(c)), 1e-12);
  EXPECT_NEAR(value(plackett_luce_loss(numbers({b, a, c}), numbers({2, 2, 1}))),
              value(plackett_luce_loss(numbers({a, b, c}), numbers({2, 2, 1}))), 1e-12);
  EXPECT_NEAR(value(plackett_luce_loss(numbers({a, b, c}), numbers({1, 1, 1}))), 0.0, 1e-12);
  EXPECT_NEAR(value(plackett_luce_loss(numbers({a, b, c}), numbers({9, 5, 1}))),
              value(plackett_luce_loss(numbers({a, b, c}))), 1e-12);
}

TEST(PlackettLuce, CentringOfTwoIsThatOfAPair) {
  const RewardModelOptions centred{.centring = .01};
  EXPECT_NEAR(value(plackett_luce_loss(numbers({1.2, .7}), {}, centred)),
              value(bradley_terry_loss(numbers({1.2}), numbers({.7}), {}, centred)), 1e-12);
  EXPECT_NEAR(value(plackett_luce_loss(numbers({3, 3, 3}), {}, centred)), std::log(6.0) + .01 * 36.0, 1e-12);
}

// Rock beats scissors beats paper beats rock: whatever three numbers stand for them, one of the three is out of order.
TEST(BradleyTerry, NoRewardFitsACondorcetCycle) {
  auto rewards = ordinary({3}, 4).requires_grad_(true);
  torch::optim::Adam optimiser({rewards}, torch::optim::AdamOptions(.05));
  const auto winners = torch::tensor({0, 1, 2}), losers = torch::tensor({1, 2, 0});
  for (int step = 0; step < 400; ++step) {
    optimiser.zero_grad();
    bradley_terry_loss(rewards.index_select(0, winners), rewards.index_select(0, losers)).sum().backward();
    optimiser.step();
  }
  const auto right = (rewards.index_select(0, winners) > rewards.index_select(0, losers)).sum().item<std::int64_t>();
  EXPECT_LT(right, 3);
  EXPECT_LT((rewards.max() - rewards.min()).item<double>(), .05);
}

TEST(RewardGradients, EqualFiniteDifferences) {
  const auto a = ordinary({4}, 5), b = ordinary({4}, 6);
  EXPECT_LT(gradient_error(
                [](const auto& x) {
                  return bradley_terry_loss(x[0], x[1], numbers({.1, .2, .3, .4}), {.centring = .05});
                },
                {a, b}),
            1e-6);
  EXPECT_LT(gradient_error([](const auto& x) { return plackett_luce_loss(x[0]); }, {ordinary({3, 5}, 7)}), 1e-6);
  EXPECT_LT(gradient_error(
                [](const auto& x) {
                  return plackett_luce_loss(x[0], numbers({3, 3, 2, 1, 1}), {.centring = .05});
                },
                {ordinary({3, 5}, 7)}),
            1e-6);
}

TEST(Nll, IsTheMeanOverLearnedTokens) {
  EXPECT_NEAR(value(token_nll_loss(numbers({-1, -2, -6}))), 3.0, 1e-12);
  EXPECT_NEAR(value(token_nll_loss(numbers({-1, -2, -6}), numbers({1, 1, 0}))), 1.5, 1e-12);
}

TEST(ChoiceLoss, IsLeastAtTheTargetWhereItIsTheEntropy) {
  const auto target = numbers({.7, .2, .1}).unsqueeze(0);
  const double entropy = -(.7 * std::log(.7) + .2 * std::log(.2) + .1 * std::log(.1));
  EXPECT_NEAR(value(choice_loss(torch::log(target), target)), entropy, 1e-12);
  EXPECT_GT(value(choice_loss(torch::log(numbers({.6, .3, .1}).unsqueeze(0)), target)), entropy);
}

TEST(ChoiceLoss, OverTheVocabularyChargesForMassOnNoOption) {
  const auto target = numbers({1, 0}).unsqueeze(0);
  const auto half = torch::log(numbers({.4, .1}).unsqueeze(0));
  EXPECT_NEAR(value(choice_loss(half, target)), -std::log(.4), 1e-12);
  EXPECT_NEAR(value(choice_loss(half, target, true)), -std::log(.8), 1e-12);
}

TEST(ChoiceLoss, AnImpossibleOptionWithoutWeightCostsNothing) {
  const auto logprobs = numbers({-.5, -std::numeric_limits<double>::infinity()}).unsqueeze(0);
  EXPECT_NEAR(value(choice_loss(logprobs, numbers({1, 0}).unsqueeze(0))), .5, 1e-12);
}

TEST(SupervisedGradients, EqualFiniteDifferences) {
  const auto target = torch::softmax(ordinary({3, 4}, 8), -1);
  for (const bool among : {false, true}) {
    EXPECT_LT(gradient_error([&](const auto& x) { return choice_loss(x[0], target, among); }, {ordinary({3, 4}, 9)}),
              1e-6);
  }
  EXPECT_LT(gradient_error(
                [](const auto& x) {
                  return token_nll_loss(x[0], numbers({1, 2, 0, 1}));
                },
                {ordinary({4}, 10)}),
            1e-6);
}

}  // namespace
}  // namespace valence::train
