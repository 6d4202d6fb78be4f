// What settings make of a loss: what a run records, against the objectives on the policy's own log-probabilities.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "bigram_policy.h"
#include "gradients.h"
#include "objectives/advantages.h"
#include "objectives/policy_gradient.h"
#include "objectives/preference.h"
#include "objectives/reward_model.h"
#include "objectives/supervised.h"
#include "support/scratch.h"
#include "tensor_values.h"
#include "trainer.h"

namespace valence::train {
namespace {

using testing::BigramPolicy;
using testing::Given;
using testing::kVocabulary;
using testing::numbers;
using testing::task_of;
using testing::value;
using valence::testing::Scratch;

/// Away from the reference, so that no log-ratio is 0.
void move_away(BigramPolicy& policy) {
  const auto shifts = torch::sin(torch::arange(kVocabulary * kVocabulary, torch::kFloat));
  policy.parameters()[0].second.data().add_(shifts.view({kVocabulary, kVocabulary}));
}

/// Of the learned tokens, nats.
std::vector<double> logprobs_of(const BigramPolicy& policy, const AnswerPath& answer) {
  std::vector<double> logprobs;
  for (std::size_t i = answer.learned_from; i < answer.tokens.size(); ++i)
    logprobs.push_back(std::log(policy.probability(answer.tokens[i - 1], answer.tokens[i])));
  return logprobs;
}

double whole_logprob(const BigramPolicy& policy, const AnswerPath& answer) {
  double sum = 0;
  for (const double logprob : logprobs_of(policy, answer)) sum += logprob;
  return sum;
}

/// Log π − log π_ref of a whole answer.
double log_ratio_of(const BigramPolicy& policy, const AnswerPath& answer) {
  return whole_logprob(policy, answer) - whole_logprob(BigramPolicy(kVocabulary), answer);
}

using Look = std::function<void(const TrainingStep&)>;

/// Large steps, each on all examples; `look` sees every row, after its update.
void take_steps(BigramPolicy& policy, const std::string& operation, const Given& given,
                const std::vector<TrainingExample>& examples, std::size_t steps, const Look& look) {
  const Scratch scratch;
  TrainerOptions options;
  options.learning_rate = .3;
  options.steps = steps;
  options.batch = examples.size();
  options.max_gradient_norm = 0;
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    look(step);
    return {};
  };
  const auto done =
      train(policy, *task_of(operation, given), examples, options, {.output = scratch.path(), .record = record});
  EXPECT_TRUE(done) << operation << ": " << done.error().message;
}

double first_loss(BigramPolicy& policy, const std::string& operation, const Given& given,
                  const std::vector<TrainingExample>& examples) {
  double loss = std::nan("");
  take_steps(policy, operation, given, examples, 1, [&](const TrainingStep& step) { loss = step.loss; });
  return loss;
}

/// Losses that two cases share could not tell their settings from each other.
void expect_unlike(const std::vector<double>& losses, const std::vector<std::vector<double>>& others,
                   const std::string& name) {
  for (const auto& other : others) {
    double apart = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) apart = std::max(apart, std::abs(losses[i] - other[i]));
    EXPECT_GT(apart, 1e-3) << name;
  }
}

/// Pairs of a long and a short answer, each of them the better one in turn.
std::vector<TrainingExample> uneven_pairs() {
  std::vector<TrainingExample> examples;
  for (TokenId q = 0; q < 4; ++q) {
    std::vector<AnswerPath> answers{{{q, q + 4, q + 5}, 1}, {{q, q + 6}, 1}};
    if (q % 2 == 1) std::swap(answers[0], answers[1]);
    examples.push_back({fmt::format("pair {}", q), std::move(answers)});
  }
  return examples;
}

/// A number of each pair's answers.
Pair of_pairs(const std::vector<TrainingExample>& examples, const std::function<double(const AnswerPath&)>& number) {
  std::vector<double> chosen, rejected;
  for (const auto& example : examples) {
    chosen.push_back(number(example.paths[0]));
    rejected.push_back(number(example.paths[1]));
  }
  return {numbers(chosen), numbers(rejected)};
}

/// What losses on pairs are made of.
struct PairFigures {
  Pair logprobs, ratios, lengths;

  PairFigures(const BigramPolicy& policy, const std::vector<TrainingExample>& examples)
      : logprobs(of_pairs(examples, [&](const AnswerPath& answer) { return whole_logprob(policy, answer); })),
        ratios(of_pairs(examples, [&](const AnswerPath& answer) { return log_ratio_of(policy, answer); })),
        lengths(of_pairs(examples, [](const AnswerPath& answer) { return static_cast<double>(answer.learned()); })) {}
};

struct PairCase {
  std::string operation;
  Given given;
  std::function<torch::Tensor(const PairFigures&)> loss;
};

PairCase dpo_case(Given given, const DpoOptions& options) {
  given.emplace_back("beta", "1");
  return {"dpo", std::move(given), [options](const PairFigures& of) { return dpo_loss(of.ratios, options); }};
}

std::vector<PairCase> pair_cases() {
  return {
      dpo_case({}, {.beta = 1}),
      dpo_case({{"smoothing", "0.2"}}, {.beta = 1, .smoothing = .2}),
      dpo_case({{"loss", "robust"}, {"smoothing", "0.2"}}, {.loss = PairLoss::kRobust, .beta = 1, .smoothing = .2}),
      dpo_case({{"loss", "hinge"}}, {.loss = PairLoss::kHinge, .beta = 1}),
      dpo_case({{"loss", "ipo"}}, {.loss = PairLoss::kIpo, .beta = 1}),
      dpo_case({{"divergence", "forward_kl"}}, {.beta = 1, .divergence = Divergence::kForwardKl}),
      dpo_case({{"divergence", "jensen_shannon"}}, {.beta = 1, .divergence = Divergence::kJensenShannon}),
      dpo_case({{"divergence", "alpha"}, {"divergence_alpha", "0.5"}},
               {.beta = 1, .divergence = Divergence::kAlpha, .alpha = .5}),
      {"dpo",
       {{"beta", "1"}, {"loss", "ipo"}, {"token_mean", "true"}},
       [](const PairFigures& of) {
         const Pair means{of.ratios.chosen / of.lengths.chosen, of.ratios.rejected / of.lengths.rejected};
         return dpo_loss(means, {.loss = PairLoss::kIpo, .beta = 1});
       }},
      {"dpo",
       {{"beta", "1"}, {"nll_weight", "0.7"}},
       [](const PairFigures& of) {
         return dpo_loss(of.ratios, {.beta = 1}) - .7 * of.logprobs.chosen / of.lengths.chosen;
       }},
      {"simpo",
       {{"beta", "3"}, {"gamma", "1.5"}},
       [](const PairFigures& of) { return simpo_loss(of.logprobs, of.lengths, {.beta = 3, .gamma = 1.5}); }},
      {"cpo",
       {{"beta", "0.5"}, {"nll_weight", "0.4"}},
       [](const PairFigures& of) { return cpo_loss(of.logprobs, .5, .4); }},
      {"orpo", {{"lambda", "0.6"}}, [](const PairFigures& of) { return orpo_loss(of.logprobs, of.lengths, .6); }},
      {"slic", {{"margin", "4"}}, [](const PairFigures& of) { return slic_loss(of.logprobs, 4); }},
  };
}

TEST(TaskSettings, OfPairsAreTheLossesThatTheyName) {
  const auto examples = uneven_pairs();
  std::vector<std::vector<double>> others;
  for (const auto& one : pair_cases()) {
    const auto name = one.operation + ::testing::PrintToString(one.given);
    BigramPolicy policy(kVocabulary);
    move_away(policy);
    const double expected = value(one.loss(PairFigures(policy, examples)).mean());
    EXPECT_NEAR(first_loss(policy, one.operation, one.given, examples), expected, 1e-4) << name;
    expect_unlike({expected}, others, name);
    others.push_back({expected});
  }
}

TEST(TaskSettings, OfKtoWeighEitherLabelByItsOwn) {
  BigramPolicy policy(kVocabulary);
  move_away(policy);
  std::vector<TrainingExample> examples;
  std::vector<double> ratios, mismatched, labels;
  for (TokenId q = 0; q < 4; ++q) {
    labels.push_back(q % 2);
    examples.push_back({fmt::format("answer {}", q), {{{q, q + 4}, 1, 0, labels.back()}, {{q, 9}, 1, 1, 0.0}}});
    ratios.push_back(log_ratio_of(policy, examples.back().paths[0]));
    mismatched.push_back(log_ratio_of(policy, examples.back().paths[1]));
  }
  const auto point = kto_reference_point(numbers(mismatched));
  ASSERT_GT(value(point), .1);
  const auto expected =
      kto_loss(numbers(ratios), numbers(labels) == 1.0, point, {.beta = .5, .desirable = 3, .undesirable = .25});
  const double loss =
      first_loss(policy, "kto", {{"beta", "0.5"}, {"desirable", "3"}, {"undesirable", "0.25"}}, examples);
  EXPECT_NEAR(loss, value(expected.mean()), 1e-4);
}

TEST(TaskSettings, OfRewardModelsAreMarginAndCentring) {
  BigramPolicy policy(kVocabulary);
  const auto examples = uneven_pairs();
  const auto reward = policy.parameters()[0].second.detach().select(1, 0).to(torch::kDouble);
  const auto rewards =
      of_pairs(examples, [&](const AnswerPath& answer) { return value(reward[answer.tokens.back()]); });
  const auto expected =
      bradley_terry_loss(rewards.chosen, rewards.rejected, torch::full_like(rewards.chosen, .5), {.centring = .2});
  EXPECT_NEAR(first_loss(policy, "reward", {{"margin", "0.5"}, {"centring", "0.2"}}, examples), value(expected.mean()),
              1e-4);
}

TEST(TaskSettings, OfChoicesSayWhetherOtherWordsCost) {
  const std::vector<TrainingExample> examples{{"question", {{{0, 10}, 1, 0, .75}, {{0, 11}, 1, 0, .25}}}};
  for (const bool among : {false, true}) {
    BigramPolicy policy(kVocabulary);
    const auto options = numbers({std::log(policy.probability(0, 10)), std::log(policy.probability(0, 11))});
    const double expected = value(choice_loss(options, numbers({.75, .25}), among));
    const double loss = first_loss(policy, "choice", {{"among_options", among ? "true" : "false"}}, examples);
    EXPECT_NEAR(loss, expected, 1e-4) << among;
  }
}

/// One prompt's answers of unlike lengths, and what was said of their tokens, one after the other, when they were
/// drawn.
struct Drawn {
  TrainingExample example{"prompt", {}};
  std::vector<double> rewards, drift;  ///< per answer; drift: log π − log π_ref of the whole
  torch::Tensor answer, before;        ///< per token: the answer that it is in, the token before it
  torch::Tensor old, sampler, reference;
};

torch::Tensor tokens_of(const BigramPolicy& policy, const TrainingExample& example) {
  std::vector<double> all;
  for (const auto& answer : example.paths) {
    const auto logprobs = logprobs_of(policy, answer);
    all.insert(all.end(), logprobs.begin(), logprobs.end());
  }
  return numbers(all);
}

Drawn drawn_by(const BigramPolicy& policy) {
  Drawn drawn;
  drawn.rewards = {1, 0, .5, 1};
  const std::vector<std::vector<TokenId>> texts{{0, 4, 5, 6}, {0, 5}, {0, 6, 7}, {0, 7}};
  std::vector<std::int64_t> answer, before;
  std::vector<double> sampler;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    AnswerPath path{texts[i], 1, 0, drawn.rewards[i]};
    path.sampler_logprobs = logprobs_of(policy, path);
    for (std::size_t t = 0; t < path.learned(); ++t) {
      path.sampler_logprobs[t] += .3 * static_cast<double>(t) - .2;  // seen otherwise, and otherwise for every token
      sampler.push_back(path.sampler_logprobs[t]);
      answer.push_back(static_cast<std::int64_t>(i));
      before.push_back(path.tokens[t]);
    }
    drawn.drift.push_back(log_ratio_of(policy, path));
    drawn.example.paths.push_back(std::move(path));
  }
  drawn.answer = torch::tensor(answer);
  drawn.before = torch::tensor(before);
  drawn.old = tokens_of(policy, drawn.example);
  drawn.sampler = numbers(sampler);
  drawn.reference = tokens_of(BigramPolicy(kVocabulary), drawn.example);
  return drawn;
}

/// Per token, under a policy that says `now` of them. What sampler and trainer see differently weighs e^difference, at
/// the level of the ratio; the cap of 3 is not reached.
torch::Tensor weighted_loss(const Drawn& drawn, const torch::Tensor& now, const torch::Tensor& advantages,
                            RatioLevel level, const ClipOptions& clip) {
  const auto weight = clipped_policy_loss(drawn.old, drawn.sampler, advantages, drawn.answer, 4, level, clip).ratio;
  return clipped_policy_loss(now, drawn.old, advantages, drawn.answer, 4, level, clip).per_token * weight;
}

struct RolloutCase {
  std::string operation;
  Given given;
  std::function<std::vector<double>(const Drawn&)> advantages;
  RatioLevel level = RatioLevel::kToken;
  Reduction reduction = Reduction::kTokenMean;
  double kl_weight = 0;
  ClipOptions clip = {};

  double loss(const Drawn& drawn, const torch::Tensor& now) const {
    const auto per_token = numbers(advantages(drawn)).index_select(0, drawn.answer);
    const auto losses = weighted_loss(drawn, now, per_token, level, clip) + kl_weight * kl_k3(now, drawn.reference);
    return value(reduce(losses, drawn.answer, 4, reduction, 8));
  }
};

std::vector<RolloutCase> rollout_cases() {
  const auto by = [](GroupScale scale) {
    return [scale](const Drawn& drawn) { return group_advantages(drawn.rewards, scale).value(); };
  };
  const auto sample = by(GroupScale::kSampleDeviation);
  const auto against_the_others = [](const Drawn& drawn) {
    auto worth = drawn.rewards;
    for (std::size_t i = 0; i < worth.size(); ++i) worth[i] -= .5 * drawn.drift[i];
    return leave_one_out_advantages(worth).value();
  };
  return {
      {"grpo", {}, sample},
      {"grpo", {{"deviation", "population"}}, by(GroupScale::kPopulationDeviation)},
      {"grpo", {{"deviation", "none"}}, by(GroupScale::kNone)},
      {"grpo", {{"ratio", "sequence_mean"}}, sample, RatioLevel::kSequenceMean},
      {"grpo", {{"reduction", "answer_mean"}}, sample, RatioLevel::kToken, Reduction::kAnswerMean},
      {"grpo", {{"reduction", "constant"}, {"max_tokens", "8"}}, sample, RatioLevel::kToken, Reduction::kConstant},
      {"grpo", {{"beta", "0.5"}}, sample, RatioLevel::kToken, Reduction::kTokenMean, .5},
      {"grpo",
       {{"clip_low", "0.01"}, {"clip_high", "0.02"}},
       sample,
       RatioLevel::kToken,
       Reduction::kTokenMean,
       0,
       {.01, .02}},
      {"rloo", {{"beta", "0.5"}}, against_the_others, RatioLevel::kSequence, Reduction::kAnswerMean},
  };
}

TEST(TaskSettings, OfRolloutsAreTheLossesThatTheyName) {
  std::vector<std::vector<double>> others;
  for (const auto& one : rollout_cases()) {
    const auto name = one.operation + ::testing::PrintToString(one.given);
    BigramPolicy policy(kVocabulary);
    move_away(policy);
    const auto drawn = drawn_by(policy);
    std::vector<double> losses, expected{one.loss(drawn, drawn.old)};
    take_steps(policy, one.operation, one.given, {drawn.example}, 2, [&](const TrainingStep& step) {
      losses.push_back(step.loss);
      expected.push_back(one.loss(drawn, tokens_of(policy, drawn.example)));  // what the next step begins with
    });
    ASSERT_EQ(losses.size(), 2U) << name;
    EXPECT_NEAR(losses[0], expected[0], 1e-4) << name;
    EXPECT_NEAR(losses[1], expected[1], 1e-4) << name;
    expect_unlike(expected, others, name);
    others.push_back(expected);
  }
}

struct PpoCase {
  Given given = {};
  bool k3 = false, whitened = false;
  double gamma = 1, lambda = .95, value_weight = .1, value_clip = .2;

  double loss(const Drawn& drawn, const torch::Tensor& old_values, const torch::Tensor& now,
              const torch::Tensor& values) const {
    std::vector<double> advantages, returns;
    for (std::int64_t i = 0; i < 4; ++i) {
      const auto own = drawn.answer == i;
      auto kl = doubles_of((drawn.old - drawn.reference).masked_select(own));
      if (k3) std::ranges::transform(kl, kl.begin(), [](double k1) { return kl_k3(k1); });
      const auto rewards = token_rewards(kl, .5, drawn.rewards[static_cast<std::size_t>(i)]);
      const auto gae =
          generalised_advantages(rewards, doubles_of(old_values.masked_select(own)), gamma, lambda).value();
      advantages.insert(advantages.end(), gae.advantages.begin(), gae.advantages.end());
      returns.insert(returns.end(), gae.returns.begin(), gae.returns.end());
    }
    if (whitened) whiten(advantages);
    const auto policy = weighted_loss(drawn, now, numbers(advantages), RatioLevel::kToken, {}).mean();
    return value(policy + value_weight * value_loss(values, old_values, numbers(returns), value_clip));
  }
};

TEST(TaskSettings, OfPpoAreTheLossesThatTheyName) {
  const std::vector<PpoCase> cases{{},
                                   {.given = {{"kl", "k3"}}, .k3 = true},
                                   {.given = {{"whiten", "true"}}, .whitened = true},
                                   {.given = {{"gamma", "0.9"}}, .gamma = .9},
                                   {.given = {{"lambda", "0.5"}}, .lambda = .5},
                                   {.given = {{"value_weight", "1"}}, .value_weight = 1},
                                   {.given = {{"value_clip", "0.01"}}, .value_clip = .01},
                                   {.given = {{"value_clip", "0"}}, .value_clip = 0}};
  std::vector<std::vector<double>> others;
  for (const auto& one : cases) {
    BigramPolicy policy(kVocabulary, 1, /*with_values=*/true);
    move_away(policy);
    const auto values = policy.parameters()[1].second.data();
    values.copy_(.3 * torch::cos(torch::arange(kVocabulary, torch::kFloat)));
    const auto drawn = drawn_by(policy);
    const auto values_now = [&] { return values.to(torch::kDouble).index_select(0, drawn.before); };
    const auto old_values = values_now();
    std::vector<double> losses, expected{one.loss(drawn, old_values, drawn.old, old_values)};
    Given given{{"beta", "0.5"}, {"whiten", "false"}};
    given.insert(given.end(), one.given.begin(), one.given.end());
    take_steps(policy, "ppo", given, {drawn.example}, 2, [&](const TrainingStep& step) {
      losses.push_back(step.loss);
      expected.push_back(one.loss(drawn, old_values, tokens_of(policy, drawn.example), values_now()));
    });
    const auto name = ::testing::PrintToString(one.given);
    ASSERT_EQ(losses.size(), 2U) << name;
    EXPECT_NEAR(losses[0], expected[0], 1e-4) << name;
    EXPECT_NEAR(losses[1], expected[1], 1e-4) << name;
    expect_unlike(expected, others, name);
    others.push_back(expected);
  }
}

}  // namespace
}  // namespace valence::train
