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

/// The gradient of −min(ρA, clip(ρ)A), summed over an answer of two tokens, at each token's log-probability; in f32.
torch::Tensor gradient_of_answer(float nats_per_token, float advantage, RatioLevel level) {
  const auto logprobs = torch::full({2}, nats_per_token).requires_grad_(true);
  const auto loss =
      clipped_policy_loss(logprobs, torch::zeros({2}), torch::full({2}, advantage), indices({0, 0}), 1, level, {});
  EXPECT_TRUE(torch::isfinite(loss.per_token).all().item<bool>() && torch::isfinite(loss.ratio).all().item<bool>());
  loss.per_token.sum().backward();
  return logprobs.grad();
}

TEST(PpoLoss, StaysFiniteInF32HoweverFarAnAnswerHasMoved) {
  for (const auto level : {RatioLevel::kToken, RatioLevel::kSequenceMean, RatioLevel::kSequence}) {
    for (const float nats : {100.0F, -100.0F}) {  // per token: 200 for the answer
      for (const float advantage : {1.0F, -1.0F}) {
        const auto gradient = gradient_of_answer(nats, advantage, level);
        EXPECT_TRUE(torch::isfinite(gradient.square()).all().item<bool>()) << "of which gradients are clipped by";
        // What does badly and became likelier is pushed back, at e^16; a whole answer's ratio counts at both tokens.
        const double slope = nats < 0 || advantage > 0 ? 0 : level == RatioLevel::kSequence ? 2 : 1;
        for (int token = 0; token < 2; ++token) EXPECT_NEAR(value(gradient[token]) / std::exp(16.0), slope, 1e-5);
      }
    }
  }
}

TEST(PpoLoss, RatiosBelowTheTangentAreExponentials) {
  const auto x = torch::tensor(std::vector<float>{-30, -1, 0, .3F, 5, 15.9F}).requires_grad_(true);
  const auto loss = clipped_policy_loss(x, torch::zeros({6}), torch::full({6}, -1.0F), indices({0, 0, 0, 0, 0, 0}), 1,
                                        RatioLevel::kToken, {1e9, 1e9});
  const auto expected = torch::exp(x.detach());
  EXPECT_TRUE(torch::equal(loss.ratio, expected));
  loss.per_token.sum().backward();
  EXPECT_TRUE(torch::allclose(x.grad(), expected, 1e-6, 0));
}

/// A way through the toy problem below: its first token among those of all ways, their number, the reward at its end.
struct Way {
  std::int64_t first, tokens;
  double reward;
};

/// Advantages of all ways' tokens, by what the policy says of them; the reference gives ½ to either action.
std::vector<double> advantages_of(const std::vector<Way>& ways, const torch::Tensor& logprobs, double beta) {
  std::vector<double> advantages;
  for (const auto& way : ways) {
    std::vector<double> kl;
    for (auto t = way.first; t < way.first + way.tokens; ++t) kl.push_back(kl_k1(value(logprobs[t]), -std::log(2.0)));
    const std::vector<double> baseline(kl.size(), .4);
    const auto gae = generalised_advantages(token_rewards(kl, beta, way.reward), baseline, 1, 1).value();
    advantages.insert(advantages.end(), gae.advantages.begin(), gae.advantages.end());
  }
  return advantages;
}

// Two states, two actions: from the first, action 0 ends with reward .3, action 1 goes on; then action 0 gives 1,
// action 1 gives 0. With KL to a uniform reference the soft-optimal policy has a closed form. All three ways through
// are taken, each as often as the policy would take it.
TEST(PolicyGradient, OnAToyMdpConvergesToTheSoftOptimum) {
  const double beta = .5;
  const std::vector<Way> ways{{0, 1, .3}, {1, 2, 1}, {3, 2, 0}};
  const auto state = indices({0, 0, 1, 0, 1}), action = indices({0, 1, 0, 1, 1}), way = indices({0, 1, 1, 2, 2});
  auto logits = torch::zeros({2, 2}, torch::dtype(torch::kDouble)).requires_grad_(true);
  torch::optim::SGD optimiser({logits}, torch::optim::SGDOptions(5));
  for (int step = 0; step < 60; ++step) {
    optimiser.zero_grad();
    const auto logprobs = torch::log_softmax(logits, 1).index({state, action});
    const auto old = logprobs.detach();
    const auto chance = torch::zeros({3}, old.options()).index_add(0, way, old).exp().index_select(0, way);
    const auto advantages = numbers(advantages_of(ways, old, beta));
    const auto loss = clipped_policy_loss(logprobs, old, advantages, way, 3, RatioLevel::kToken, {});
    (chance * loss.per_token).sum().backward();
    optimiser.step();
  }
  const auto soft = [&](double a, double b) {
    return beta * std::log(.5 * std::exp(a / beta) + .5 * std::exp(b / beta));
  };
  const double v2 = soft(1, 0);
  const auto p = torch::softmax(logits, 1).detach();
  EXPECT_NEAR(p[1][0].item<double>(), 1 / (1 + std::exp(-1 / beta)), 1e-6);
  EXPECT_NEAR(p[0][1].item<double>(), 1 / (1 + std::exp((.3 - v2) / beta)), 1e-6);
}

// The bandit of the specs, §4: reference (.5, .3, .2), rewards (1, 2, 0), β = 1; π* ∝ π_ref e^r.
TEST(RegularisedOptimum, EveryAnswerIsWorthTheLogPartitionThere) {
  const std::vector<double> reference{.5, .3, .2}, rewards{1, 2, 0}, optimum{.3599555403, .5870763625, .0529680972};
  std::vector<double> worth;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::vector<double> kl{kl_k1(std::log(optimum[i]), std::log(reference[i]))};
    worth.push_back(token_rewards(kl, 1, rewards[i]).back());
    EXPECT_NEAR(worth[i], 1.3286275738, 1e-8);
  }
  const auto advantages = leave_one_out_advantages(worth).value();
  for (const double advantage : advantages) EXPECT_NEAR(advantage, 0, 1e-8);
}

}  // namespace
}  // namespace valence::train
