// Worked numbers: specs, alignment methods §4. ℓ_w = −12, ℓ_l = −15, reference −13 and −14, 6 and 10 tokens.
#include <gtest/gtest.h>

#include <cmath>

#include "gradients.h"
#include "objectives/logistic.h"
#include "objectives/preference.h"

namespace valence::train {
namespace {

using testing::gradient_error;
using testing::numbers;
using testing::ordinary;
using testing::value;

const double kLn2 = std::log(2.0);

Pair worked_logprobs() { return {numbers({-12}), numbers({-15})}; }
Pair worked_ratios() { return {numbers({1}), numbers({-1})}; }
Pair worked_lengths() { return {numbers({6}), numbers({10})}; }

DpoOptions with(PairLoss loss, double smoothing = 0.0) { return {.loss = loss, .beta = 0.1, .smoothing = smoothing}; }

TEST(LogSigmoid, AsTheLibraryComputesItIsFiniteAndExactFarOut) {
  EXPECT_EQ(value(torch::log_sigmoid(numbers({-1000}))), -1000.0);
  EXPECT_EQ(value(torch::log_sigmoid(numbers({1000}))), 0.0);
  EXPECT_NEAR(value(torch::log_sigmoid(numbers({0}))), -kLn2, 1e-15);
  const auto x = numbers({-1000, 1000}, true);
  torch::log_sigmoid(x).sum().backward();
  EXPECT_EQ(x.grad()[0].item<double>(), 1.0);
  EXPECT_EQ(x.grad()[1].item<double>(), 0.0);
}

TEST(Log1mExp, KeepsItsDigitsAtBothEnds) {
  EXPECT_NEAR(value(log1m_exp(numbers({-1e-10}))) / std::log(1e-10), 1.0, 1e-9);
  EXPECT_NEAR(value(log1m_exp(numbers({-50}))), -std::exp(-50.0), 1e-30);
  const auto x = numbers({-1e-3, -40}, true);
  log1m_exp(x).sum().backward();
  EXPECT_TRUE(torch::isfinite(x.grad()).all().item<bool>());
}

TEST(Dpo, MatchesTheWorkedNumbers) {
  EXPECT_NEAR(value(dpo_loss(worked_ratios(), with(PairLoss::kSigmoid))), .5981388694, 1e-10);
  EXPECT_NEAR(value(dpo_loss(worked_ratios(), with(PairLoss::kSigmoid, .1))), .6181388694, 1e-10);
  EXPECT_NEAR(value(dpo_loss(worked_ratios(), with(PairLoss::kRobust, .1))), .5731388694, 1e-10);
  EXPECT_NEAR(value(dpo_loss(worked_ratios(), with(PairLoss::kHinge))), .8, 1e-12);
  EXPECT_NEAR(value(dpo_loss(worked_ratios(), with(PairLoss::kIpo))), 9.0, 1e-12);
}

TEST(Dpo, TokenAveragedIpoDividesEachRatioByItsLength) {
  const auto ratios = worked_ratios();
  const auto lengths = worked_lengths();
  EXPECT_NEAR(
      value(dpo_loss({ratios.chosen / lengths.chosen, ratios.rejected / lengths.rejected}, with(PairLoss::kIpo))),
      22.4044444444, 1e-10);
}

TEST(Dpo, GradientIsBetaTimesTheProbabilityOfTheWrongOrder) {
  const Pair ratios{numbers({1}, true), numbers({-1}, true)};
  dpo_loss(ratios, with(PairLoss::kSigmoid)).sum().backward();
  EXPECT_NEAR(ratios.chosen.grad().item<double>(), -.0450166003, 1e-10);
  EXPECT_NEAR(ratios.rejected.grad().item<double>(), .0450166003, 1e-10);
}

TEST(Dpo, ImplicitRewardsAreBetaTimesTheRatios) {
  EXPECT_NEAR(value(implicit_reward(worked_ratios().chosen, .1)), .1, 1e-15);
  EXPECT_NEAR(value(implicit_reward(worked_ratios().rejected, .1)), -.1, 1e-15);
}

TEST(Dpo, AtTheReferenceTheLossesAreKnown) {
  const Pair nothing{numbers({0}), numbers({0})};
  EXPECT_NEAR(value(dpo_loss(nothing, with(PairLoss::kSigmoid))), kLn2, 1e-15);
  EXPECT_NEAR(value(dpo_loss(nothing, with(PairLoss::kIpo))), 1 / (4 * .01), 1e-12);
  EXPECT_NEAR(value(kto_loss(numbers({0}), torch::tensor({true}), numbers({0}), {})), .5, 1e-15);
}

TEST(Dpo, SwappingAPairFlipsTheMargin) {
  const auto ratios = worked_ratios();
  const auto loss = dpo_loss(ratios, with(PairLoss::kSigmoid));
  const auto swapped = dpo_loss({ratios.rejected, ratios.chosen}, with(PairLoss::kSigmoid));
  // −log σ(z) and −log σ(−z) differ by z.
  EXPECT_NEAR(value(swapped - loss), .1 * 2, 1e-12);
}

TEST(Dpo, AShiftOfThePromptChangesNothingUnderReverseKl) {
  const auto chosen = ordinary({5}, 1), rejected = ordinary({5}, 2), shift = ordinary({5}, 3);
  for (const auto loss : {PairLoss::kSigmoid, PairLoss::kRobust, PairLoss::kHinge, PairLoss::kIpo}) {
    EXPECT_TRUE(torch::allclose(dpo_loss({chosen, rejected}, with(loss)),
                                dpo_loss({chosen + shift, rejected + shift}, with(loss)), 1e-12, 1e-12));
  }
}

TEST(Divergences, HaveTheSlopeOneAtTheReference) {
  for (const auto divergence : {Divergence::kReverseKl, Divergence::kForwardKl, Divergence::kAlpha}) {
    const auto x = numbers({0}, true);
    divergence_score(x, divergence, 0.5).sum().backward();
    EXPECT_NEAR(x.grad().item<double>(), 1.0, 1e-12) << static_cast<int>(divergence);
  }
  const auto x = numbers({0}, true);
  divergence_score(x, Divergence::kJensenShannon, 1).sum().backward();
  EXPECT_NEAR(x.grad().item<double>(), 0.5, 1e-12);
}

TEST(Divergences, AreTheDerivativesOfTheirGenerators) {
  const double u = 1.7, log_u = std::log(u);
  EXPECT_NEAR(value(divergence_score(numbers({log_u}), Divergence::kForwardKl, 1)), -1 / u, 1e-12);  // f = −log u
  EXPECT_NEAR(value(divergence_score(numbers({log_u}), Divergence::kJensenShannon, 1)), std::log(2 * u / (1 + u)),
              1e-12);
  EXPECT_NEAR(value(divergence_score(numbers({log_u}), Divergence::kAlpha, .5)), (1 - std::pow(u, -.5)) / .5, 1e-12);
}

TEST(Divergences, StayFiniteInF32AndPullTheRightWayFarFromTheReference) {
  for (const auto loss : {PairLoss::kSigmoid, PairLoss::kRobust, PairLoss::kHinge, PairLoss::kIpo}) {
    for (const auto divergence : {Divergence::kForwardKl, Divergence::kAlpha}) {
      const DpoOptions options{loss, .1, loss == PairLoss::kRobust ? .1 : 0, divergence, .7};
      const auto chosen = torch::full({1}, -200.0F).requires_grad_(true),
                 rejected = torch::full({1}, 200.0F).requires_grad_(true);
      const auto wrong = dpo_loss({chosen, rejected}, options), right = dpo_loss({rejected, chosen}, options);
      EXPECT_TRUE(std::isfinite(value(wrong)) && std::isfinite(value(right)));
      wrong.sum().backward();
      EXPECT_TRUE(std::isfinite(value(chosen.grad())) && std::isfinite(value(rejected.grad())));
      EXPECT_LT(value(chosen.grad()), 0.0) << "a likelier chosen answer should cost less";
      EXPECT_TRUE(std::isfinite(value(chosen.grad().square()))) << "of which gradients are clipped by";
    }
  }
}

TEST(Divergences, GoOnAlongTheTangent) {
  for (const auto divergence : {Divergence::kForwardKl, Divergence::kAlpha}) {
    const auto far = numbers({-40}, true), farther = numbers({-41}, true);
    const auto score = divergence_score(far, divergence, .7);
    score.sum().backward();
    EXPECT_NEAR(value(far.grad()) / std::exp(16.0), 1.0, 1e-9);
    EXPECT_NEAR(value(score - divergence_score(farther, divergence, .7)) / std::exp(16.0), 1.0, 1e-6);
  }
}

TEST(Kto, MatchesTheWorkedNumbers) {
  const auto point = numbers({.5});
  EXPECT_NEAR(value(kto_loss(numbers({1}), torch::tensor({true}), point, {.beta = .1})), .4875026035, 1e-10);
  EXPECT_NEAR(value(kto_loss(numbers({-1}), torch::tensor({false}), point, {.beta = .1})), .4625701547, 1e-10);
}

TEST(Kto, TheReferencePointIsNeverNegativeAndCarriesNoGradient) {
  const auto ratios = numbers({-3, 1}, true);
  const auto point = kto_reference_point(ratios);
  EXPECT_EQ(value(point), 0.0);
  EXPECT_FALSE(point.requires_grad());
  EXPECT_NEAR(value(kto_reference_point(numbers({1, 2}))), 1.5, 1e-15);
}

TEST(Simpo, MatchesTheWorkedNumber) {
  EXPECT_NEAR(value(simpo_loss(worked_logprobs(), worked_lengths(), {.beta = 2, .gamma = 1})), 2.1269280110, 1e-10);
}

TEST(Orpo, MatchesTheWorkedNumbers) {
  EXPECT_NEAR(value(orpo_loss(worked_logprobs(), worked_lengths(), .1)), 2.1042057808, 1e-10);
  EXPECT_NEAR(value(log_odds(numbers({-2})) - log_odds(numbers({-1.5}))), -.6070690011, 1e-10);
}

TEST(Cpo, AddsTheChosenAnswersNll) {
  EXPECT_NEAR(value(cpo_loss(worked_logprobs(), .1, 0)), std::log1p(std::exp(-.3)), 1e-12);
  EXPECT_NEAR(value(cpo_loss(worked_logprobs(), .1, 1) - cpo_loss(worked_logprobs(), .1, 0)), 12.0, 1e-12);
}

TEST(Slic, IsAHingeOnLogProbabilities) {
  EXPECT_EQ(value(slic_loss(worked_logprobs(), 1)), 0.0);
  EXPECT_EQ(value(slic_loss(worked_logprobs(), 5)), 2.0);
}

TEST(Rrhf, CountsEveryPairThatIsOutOfOrder) {
  // Best first: −2, −1, −3. Only the first pair is out of order, by 1.
  EXPECT_NEAR(value(rrhf_loss(numbers({-2, -1, -3}), numbers({4}).squeeze())), 5.0, 1e-12);
  EXPECT_NEAR(value(rrhf_loss(numbers({-1, -2, -3}), numbers({4}).squeeze())), 4.0, 1e-12);
}

TEST(Rrhf, AnswersThatAreEquallyGoodAreNoPair) {
  const auto nothing = numbers({0}).squeeze(), likely = numbers({-2, -1, -3, -.5});
  // Of scores 3, 3, 2, 2 only the last answer is likelier than better ones: by 1.5 and .5.
  EXPECT_NEAR(value(rrhf_loss(likely, nothing, numbers({3, 3, 2, 2}))), 2.0, 1e-12);
  EXPECT_NEAR(value(rrhf_loss(likely, nothing, numbers({4, 3, 2, 1}))), 1.0 + 1.5 + .5 + 2.5, 1e-12);
  EXPECT_EQ(value(rrhf_loss(likely, nothing, numbers({1, 1, 1, 1}))), 0.0);
}

TEST(PreferenceGradients, EqualFiniteDifferences) {
  const auto chosen = ordinary({4}, 5), rejected = ordinary({4}, 6);
  for (const auto loss : {PairLoss::kSigmoid, PairLoss::kRobust, PairLoss::kHinge, PairLoss::kIpo}) {
    for (const auto divergence :
         {Divergence::kReverseKl, Divergence::kForwardKl, Divergence::kJensenShannon, Divergence::kAlpha}) {
      const DpoOptions options{loss, .3, loss == PairLoss::kHinge ? 0 : .1, divergence, .7};
      EXPECT_LT(gradient_error(
                    [&](const auto& x) {
                      return dpo_loss({x[0], x[1]}, options);
                    },
                    {chosen, rejected}),
                1e-6);
    }
  }
  const Pair lengths{numbers({3, 4, 5, 6}), numbers({6, 5, 4, 3})};
  const auto low = -(chosen.abs() + 1), lower = -(rejected.abs() + 1);
  EXPECT_LT(gradient_error([&](const auto& x) { return simpo_loss({x[0], x[1]}, lengths, {}); }, {low, lower}), 1e-6);
  EXPECT_LT(gradient_error([&](const auto& x) { return orpo_loss({x[0], x[1]}, lengths, .5); }, {low, lower}), 1e-6);
  EXPECT_LT(gradient_error([&](const auto& x) { return cpo_loss({x[0], x[1]}, .1, .5); }, {low, lower}), 1e-6);
  EXPECT_LT(gradient_error([&](const auto& x) { return slic_loss({x[0], x[1]}, 1.5); }, {low, lower}), 1e-6);
  EXPECT_LT(
      gradient_error([&](const auto& x) { return rrhf_loss(x[0], x[1]); }, {ordinary({3, 4}, 7), ordinary({3}, 8)}),
      1e-6);
  const auto labels = torch::tensor({1, 0, 1, 0}).to(torch::kBool);
  EXPECT_LT(gradient_error([&](const auto& x) { return kto_loss(x[0], labels, numbers({.2}), {}); }, {chosen}), 1e-6);
  EXPECT_LT(gradient_error([](const auto& x) { return log1m_exp(x[0]); }, {low}), 1e-6);
}

// The bandit of §4: reference (.5, .3, .2), rewards (1, 2, 0), β = 1. Bradley–Terry labels in their exact proportions.
TEST(Dpo, OnABanditWithExactLabelsConvergesToTheRegularisedOptimum) {
  const auto reference = torch::log(numbers({.5, .3, .2}));
  const auto rewards = numbers({1, 2, 0});
  auto logits = torch::zeros({3}, torch::dtype(torch::kDouble)).requires_grad_(true);
  torch::optim::LBFGS optimiser(
      {logits},
      torch::optim::LBFGSOptions(1).max_iter(200).tolerance_grad(1e-12).tolerance_change(1e-15).line_search_fn(
          "strong_wolfe"));
  const auto loss = [&] {
    optimiser.zero_grad();
    const auto ratio = torch::log_softmax(logits, 0) - reference;
    auto sum = torch::zeros({}, torch::kDouble);
    for (int w = 0; w < 3; ++w) {
      for (int l = 0; l < 3; ++l) {
        if (w == l) continue;
        const auto share = torch::sigmoid(rewards[w] - rewards[l]);
        sum = sum + share * dpo_loss({ratio[w], ratio[l]}, {.beta = 1});
      }
    }
    sum.backward();
    return sum;
  };
  optimiser.step(loss);
  const auto policy = torch::softmax(logits, 0).detach();
  const auto optimum = numbers({.3599555403, .5870763625, .0529680972});
  EXPECT_TRUE(torch::allclose(policy, optimum, 0, 1e-6)) << policy;
  const auto implicit = implicit_reward(torch::log(policy) - reference, 1);
  EXPECT_NEAR((implicit[1] - implicit[0]).item<double>(), 1.0, 1e-5);
  EXPECT_NEAR((implicit[0] - implicit[2]).item<double>(), 1.0, 1e-5);
}

}  // namespace
}  // namespace valence::train
