#include <gtest/gtest.h>

#include <cmath>

#include "gradients.h"
#include "objectives/advantages.h"
#include "objectives/policy_gradient.h"

namespace valence::train {
namespace {

using testing::gradient_error;
using testing::numbers;
using testing::ordinary;
using testing::value;

torch::Tensor indices(const std::vector<std::int64_t>& values) { return torch::tensor(values, torch::kLong); }

double ppo_term(double ratio, double advantage) {
  const auto loss = clipped_policy_loss(numbers({std::log(ratio)}), numbers({0}), numbers({advantage}), indices({0}), 1,
                                        RatioLevel::kToken, {});
  return -value(loss.per_token);
}

TEST(PpoLoss, MatchesTheWorkedTerms) {
  EXPECT_NEAR(ppo_term(1.3, 1), 1.2, 1e-12);
  EXPECT_NEAR(ppo_term(1.3, -1), -1.3, 1e-12);
  EXPECT_NEAR(ppo_term(.7, 1), .7, 1e-12);
  EXPECT_NEAR(ppo_term(.7, -1), -.8, 1e-12);
}

TEST(PpoLoss, CountsWhatIsClipped) {
  const auto loss = clipped_policy_loss(torch::log(numbers({1.3, 1.3, .7, 1.0})), numbers({0, 0, 0, 0}),
                                        numbers({1, -1, -1, 1}), indices({0, 0, 1, 1}), 2, RatioLevel::kToken, {});
  EXPECT_NEAR(value(loss.clip_fraction), .5, 1e-12);
  EXPECT_FALSE(loss.ratio.requires_grad());
}

TEST(PpoLoss, SequenceRatiosAreTheSameForAllTokensOfAnAnswer) {
  const auto logprobs = numbers({.1, .3, .6}), old = numbers({0, 0, 0});
  const auto answer = indices({0, 0, 1});
  const auto mean =
      clipped_policy_loss(logprobs, old, numbers({1, 1, 1}), answer, 2, RatioLevel::kSequenceMean, {10, 10});
  EXPECT_NEAR(value(mean.ratio[0]), std::exp(.2), 1e-12);  // GSPO: exp(mean log-ratio)
  EXPECT_NEAR(value(mean.ratio[1]), std::exp(.2), 1e-12);
  EXPECT_NEAR(value(mean.ratio[2]), std::exp(.6), 1e-12);
  const auto whole = clipped_policy_loss(logprobs, old, numbers({1, 1, 1}), answer, 2, RatioLevel::kSequence, {10, 10});
  EXPECT_NEAR(value(whole.ratio[0]), std::exp(.4), 1e-12);
}

TEST(Reductions, DifferInHowMuchALongAnswerCounts) {
  const auto loss = numbers({1, 1, 1, 5});
  const auto answer = indices({0, 0, 0, 1});
  EXPECT_NEAR(value(reduce(loss, answer, 2, Reduction::kAnswerMean, 10)), 3.0, 1e-12);
  EXPECT_NEAR(value(reduce(loss, answer, 2, Reduction::kTokenMean, 10)), 2.0, 1e-12);
  EXPECT_NEAR(value(reduce(loss, answer, 2, Reduction::kConstant, 10)), .4, 1e-12);
}

TEST(KlK3, MatchesTheWorkedNumbers) {
  for (const auto& [x, expected] : {std::pair{0.0, 0.0}, {.2, .0187307531}, {-.2, .0214027582}}) {
    EXPECT_NEAR(value(kl_k3(numbers({x}), numbers({0}))), expected, 1e-10);
    EXPECT_NEAR(kl_k3(x), expected, 1e-10);
  }
}

TEST(ValueLoss, TakesTheWorseOfClippedAndFree) {
  // V = 2, V_old = 1, R = 1.1, clip .2: (2 − 1.1)² against (1.2 − 1.1)².
  EXPECT_NEAR(value(value_loss(numbers({2}), numbers({1}), numbers({1.1}), .2)), .5 * .81, 1e-12);
  // V = 1.5 is nearer to R = 2 than where clipping holds it.
  EXPECT_NEAR(value(value_loss(numbers({1.5}), numbers({1}), numbers({2}), .2)), .5 * .64, 1e-12);
  EXPECT_NEAR(value(value_loss(numbers({1.5}), numbers({1}), numbers({2}), 0)), .5 * .25, 1e-12);
}

TEST(PolicyGradients, EqualFiniteDifferences) {
  const auto old = ordinary({6}, 1), advantages = ordinary({6}, 2);
  const auto answer = indices({0, 0, 0, 1, 1, 2});
  for (const auto level : {RatioLevel::kToken, RatioLevel::kSequenceMean, RatioLevel::kSequence}) {
    for (const auto reduction : {Reduction::kAnswerMean, Reduction::kTokenMean, Reduction::kConstant}) {
      const auto loss = [&](const auto& x) {
        return reduce(
            clipped_policy_loss(x[0], old, advantages, answer, 3, level, {}).per_token + .05 * kl_k3(x[0], old - .1),
            answer, 3, reduction, 8);
      };
      EXPECT_LT(gradient_error(loss, {old + .05 * ordinary({6}, 3)}), 1e-6);
    }
  }
  EXPECT_LT(gradient_error([&](const auto& x) { return value_loss(x[0], old, advantages, .2); }, {ordinary({6}, 4)}),
            1e-6);
  EXPECT_LT(gradient_error([&](const auto& x) { return reinforce_loss(x[0], advantages); }, {old}), 1e-6);
}

TEST(PpoLoss, WithoutClippingInItsFirstEpochIsReinforceWithBaseline) {
  const std::vector<double> rewards{0, 0, 1}, values{.5, .6, .7};
  const auto gae = generalised_advantages(rewards, values, 1, 1).value();
  // λ = γ = 1: what follows, minus the baseline.
  for (std::size_t t = 0; t < 3; ++t) EXPECT_NEAR(gae.advantages[t], 1 - values[t], 1e-12);
  const auto advantages = numbers(gae.advantages);
  const auto ppo = numbers({-1.1, -.3, -2}, true), reinforce = numbers({-1.1, -.3, -2}, true);
  clipped_policy_loss(ppo, ppo.detach(), advantages, indices({0, 0, 0}), 1, RatioLevel::kToken, {1e9, 1e9})
      .per_token.mean()
      .backward();
  reinforce_loss(reinforce, advantages).backward();
  EXPECT_TRUE(torch::allclose(ppo.grad(), reinforce.grad(), 1e-12, 1e-12));
}

TEST(TruncatedImportance, CapsTheRatioAndCarriesNoGradient) {
  const auto weights = truncated_importance(numbers({0, 2}, true), numbers({.5, 0}), 3);
  EXPECT_NEAR(value(weights[0]), std::exp(-.5), 1e-12);
  EXPECT_NEAR(value(weights[1]), 3.0, 1e-12);
  EXPECT_FALSE(weights.requires_grad());
}

// Two states, two actions: from the first, action 0 ends with reward .3, action 1 goes on; then action 0 gives 1,
// action 1 gives 0. With KL to a uniform reference the soft-optimal policy has a closed form.
TEST(PolicyGradient, OnAToyMdpConvergesToTheSoftOptimum) {
  const double beta = .5;
  auto logits = torch::zeros({2, 2}, torch::dtype(torch::kDouble)).requires_grad_(true);
  torch::optim::Adam optimiser({logits}, torch::optim::AdamOptions(.05));
  for (int step = 0; step < 1500; ++step) {
    optimiser.zero_grad();
    const auto logp = torch::log_softmax(logits, 1);
    const auto p = logp.exp();
    const auto cost = [&](int s, int a) { return beta * (logp[s][a] + std::log(2.0)); };
    const auto second = p[1][0] * (1 - cost(1, 0)) + p[1][1] * (0 - cost(1, 1));
    const auto first = p[0][0] * (.3 - cost(0, 0)) + p[0][1] * (second - cost(0, 1));
    // Exact expectation, differentiated through the score function: Σ p·A·∇log p is ∇ of the expectation.
    (-first).backward();
    optimiser.step();
  }
  const auto soft = [&](double a, double b) {
    return beta * std::log(.5 * std::exp(a / beta) + .5 * std::exp(b / beta));
  };
  const double v2 = soft(1, 0);
  const auto p = torch::softmax(logits, 1).detach();
  EXPECT_NEAR(p[1][0].item<double>(), 1 / (1 + std::exp(-1 / beta)), 1e-3);
  EXPECT_NEAR(p[0][1].item<double>(), 1 / (1 + std::exp((.3 - v2) / beta)), 1e-3);
}

}  // namespace
}  // namespace valence::train
