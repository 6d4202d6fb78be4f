// GRPO, RLOO and PPO through the trainer, on a policy whose distributions are a table.
#include "objectives/policy_gradient.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "bigram_policy.h"
#include "support/scratch.h"
#include "trainer.h"
#include "valence/base/random.h"
#include "valence/train/operations.h"

namespace valence::train {
namespace {

using testing::BigramPolicy;
using testing::Given;
using testing::kVocabulary;
using testing::task_of;
using ::testing::DoubleNear;
using ::testing::HasSubstr;
using valence::testing::Scratch;

constexpr std::size_t kSamples = 8;

TokenId draw(const BigramPolicy& policy, TokenId after, RandomStream& random) {
  std::vector<double> chances;
  for (TokenId token = 0; token < kVocabulary; ++token) chances.push_back(policy.probability(after, token));
  return static_cast<TokenId>(random.categorical(chances));
}

/// Answers of two tokens to the prompts 0 to 3; good ones begin with the prompt's number + 4.
std::vector<TrainingExample> rollouts_of(const BigramPolicy& policy, std::uint64_t round,
                                         std::size_t samples = kSamples) {
  std::vector<TrainingExample> examples;
  for (TokenId prompt = 0; prompt < 4; ++prompt) {
    RandomStream random(round, "rollouts", static_cast<std::uint64_t>(prompt));
    TrainingExample example{fmt::format("prompt {}", prompt), {}};
    for (std::size_t k = 0; k < samples; ++k) {
      const auto first = draw(policy, prompt, random), second = draw(policy, first, random);
      AnswerPath path{{prompt, first, second}, 1, 0, first == prompt + 4 ? 1.0 : 0.0};
      path.sampler_logprobs = {std::log(policy.probability(prompt, first)),
                               std::log(policy.probability(first, second))};
      example.paths.push_back(std::move(path));
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

TrainerOptions one_step() {
  TrainerOptions options;
  options.learning_rate = .05;
  options.steps = 1;
  options.batch = 4;
  options.max_gradient_norm = 0;
  options.seed = 3;
  return options;
}

double chance_of_good(const BigramPolicy& policy) {
  double sum = 0;
  for (TokenId prompt = 0; prompt < 4; ++prompt) sum += policy.probability(prompt, prompt + 4);
  return sum / 4;
}

/// What one job does to a fresh policy, with a row per step.
struct Job {
  Scratch scratch;
  BigramPolicy policy{kVocabulary, 1, /*with_values=*/true};
  std::vector<TrainingStep> rows;

  Result<TrainerReport> run(const std::string& operation, const Given& given,
                            const std::vector<TrainingExample>& examples, const TrainerOptions& options = one_step(),
                            const std::filesystem::path& start = {}, std::stop_token stop = {}) {
    const auto record = [this](const TrainingStep& step) -> Result<void> {
      rows.push_back(step);
      return {};
    };
    return train(policy, *task_of(operation, given), examples, options,
                 {.output = scratch.path(), .job = sha256("job"), .start = start, .record = record, .stop = stop});
  }
  std::filesystem::path checkpoint() const { return scratch / "checkpoint.bin"; }
};

TEST(PolicyUpdates, RaiseTheRewardFromRoundToRoundEachGoingOnFromTheLast) {
  for (const std::string operation : {"grpo", "rloo", "ppo"}) {
    std::vector<std::unique_ptr<Job>> jobs;
    const BigramPolicy base(kVocabulary);
    for (std::uint64_t round = 0; round < 25; ++round) {
      const auto& drawer = jobs.empty() ? base : jobs.back()->policy;
      const auto examples = rollouts_of(drawer, round);
      const auto start = jobs.empty() ? std::filesystem::path() : jobs.back()->checkpoint();
      jobs.push_back(std::make_unique<Job>());
      auto options = one_step();
      options.steps = 2;
      options.learning_rate = .1;
      const auto done = jobs.back()->run(operation, {{"beta", "0"}}, examples, options, start);
      ASSERT_TRUE(done) << done.error().message;
    }
    EXPECT_GT(chance_of_good(jobs.back()->policy), chance_of_good(base) + .4) << operation;
    EXPECT_EQ(jobs.back()->rows.back().step, 50) << "steps count on";
  }
}

TEST(PolicyUpdates, ATieToTheReferenceHoldsThePolicyBack) {
  for (const std::string operation : {"grpo", "rloo", "ppo"}) {
    std::map<std::string, double> drift;
    for (const std::string beta : {"0", "5"}) {
      Job job;
      auto options = one_step();
      options.steps = 40;
      options.learning_rate = .01;
      ASSERT_TRUE(job.run(operation, {{"beta", beta}, {"clip_low", "1e9"}, {"clip_high", "1e9"}},
                          rollouts_of(job.policy, 1), options));
      // What the KL in the reward does shows from the next job on; in GRPO's loss it shows at once.
      Job next;
      ASSERT_TRUE(next.run(operation, {{"beta", beta}}, rollouts_of(job.policy, 2), options, job.checkpoint()));
      drift[beta] = *next.rows.back().kl;
    }
    EXPECT_LT(drift["5"], drift["0"]) << operation;
  }
}

TEST(PolicyUpdates, PpoWithoutClippingIsReinforceWithBaseline) {
  Job job;
  const auto examples = rollouts_of(job.policy, 1);
  const torch::Tensor table = job.policy.parameters()[0].second.detach().clone();
  job.policy.parameters()[1].second.data().fill_(.3F);
  ASSERT_TRUE(job.run("ppo",
                      {{"clip_low", "1e9"},
                       {"clip_high", "1e9"},
                       {"lambda", "1"},
                       {"beta", "0"},
                       {"whiten", "false"},
                       {"value_weight", "0"}},
                      examples));
  auto free = table.clone().requires_grad_(true);
  torch::optim::AdamW optimiser({free}, torch::optim::AdamWOptions(.05).weight_decay(0));
  std::vector<torch::Tensor> logprobs, advantages;
  const auto log_p = torch::log_softmax(free, 1);
  for (const auto& example : examples) {
    for (const auto& path : example.paths) {
      for (std::size_t t = 1; t < path.tokens.size(); ++t) {
        logprobs.push_back(log_p[path.tokens[t - 1]][path.tokens[t]]);
        advantages.push_back(torch::tensor(path.value - .3));
      }
    }
  }
  reinforce_loss(torch::stack(logprobs), torch::stack(advantages)).backward();
  optimiser.step();
  EXPECT_TRUE(torch::allclose(job.policy.parameters()[0].second, free, 1e-5, 1e-5));
  EXPECT_FALSE(torch::allclose(table, free, 1e-3, 1e-3));
}

TEST(PolicyUpdates, GroupsWithoutVarianceMoveNothing) {
  for (const std::string operation : {"grpo", "rloo"}) {
    Job job;
    const auto before = job.policy.bytes();
    auto examples = rollouts_of(job.policy, 1);
    for (auto& example : examples) {
      for (auto& path : example.paths) path.value = .1 * static_cast<double>(example.id.size() + path.tokens[0]);
    }
    ASSERT_TRUE(job.run(operation, {{"beta", "0"}}, examples));
    EXPECT_EQ(job.policy.bytes(), before) << operation;
  }
}

TEST(PolicyUpdates, ARewardThatOnlyThePromptDecidesChangesNothing) {
  for (const std::string operation : {"grpo", "rloo"}) {
    Job plain, shifted;
    auto examples = rollouts_of(plain.policy, 1);
    ASSERT_TRUE(plain.run(operation, {{"beta", "0"}}, examples));
    for (auto& example : examples) {
      for (auto& path : example.paths) path.value += 4.0 * static_cast<double>(1 + path.tokens[0]);
    }
    ASSERT_TRUE(shifted.run(operation, {{"beta", "0"}}, examples));
    EXPECT_EQ(plain.policy.bytes(), shifted.policy.bytes()) << operation;
  }
}

TEST(PolicyUpdates, LongAndShortAnswersWeighAsTheReductionSays) {
  // One long answer and one short one: three and one token of the same loss.
  const std::vector<TrainingExample> examples{
      {"p", {{{0, 4, 1, 2}, 1, 0, 1.0, {-1, -1, -1}}, {{0, 5}, 1, 0, 0.0, {-1}}}}};
  const auto loss = [&](const std::string& reduction) {
    Job job;
    EXPECT_TRUE(job.run("grpo",
                        {{"reduction", reduction}, {"deviation", "none"}, {"max_tokens", "8"}, {"importance_cap", "0"}},
                        examples));
    return job.rows.front().loss;
  };
  // Advantages are ±½, ratios 1: −(3·½ − ½)/4, −(½ − ½)/2, −(3·½ − ½)/16.
  EXPECT_NEAR(loss("token_mean"), -.25, 1e-6);
  EXPECT_NEAR(loss("answer_mean"), 0.0, 1e-6);
  EXPECT_NEAR(loss("constant"), -.0625, 1e-6);
}

TEST(PolicyUpdates, WhatSamplerAndTrainerSeeDifferentlyIsLoggedAndCorrected) {
  Job same, off;
  auto examples = rollouts_of(same.policy, 1);
  ASSERT_TRUE(same.run("grpo", {}, examples));
  EXPECT_LT(same.rows.front().others.at("sampler_mismatch"), 1e-5);
  EXPECT_EQ(same.rows.front().others.at("sampler_truncated"), 0.0);
  for (auto& example : examples) {
    for (auto& path : example.paths) {
      path.sampler_logprobs[0] -= 2.0;  // weight e² is above the cap of 3
      path.sampler_logprobs[1] += .5;   // weight e^−½
    }
  }
  ASSERT_TRUE(off.run("grpo", {}, examples));
  EXPECT_NEAR(off.rows.front().others.at("sampler_mismatch"), 1.25, 1e-5);
  EXPECT_NEAR(off.rows.front().others.at("sampler_truncated"), .5, 1e-9);
  const double ratio = off.rows.front().gradient_norm / same.rows.front().gradient_norm;
  EXPECT_GT(ratio, std::exp(-.5));
  EXPECT_LT(ratio, 3.0);
}

TEST(PolicyUpdates, AnAnswerThatBecameFarLikelierDoesNotStopRloo) {
  Job job;
  const auto table = job.policy.parameters()[0].second.data();
  table[0][5].fill_(-200);
  const std::vector<TrainingExample> examples{{"p", {{{0, 4}, 1, 0, 1.0, {-1}}, {{0, 5}, 1, 0, 0.0, {-1}}}}};
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    job.rows.push_back(step);
    if (step.step == 1) table[0][5].fill_(5);  // some 200 nats likelier than when it was drawn
    return {};
  };
  auto options = one_step();
  options.steps = 2;
  const auto task = task_of("rloo", {{"beta", "0"}, {"importance_cap", "0"}});
  const auto done = train(job.policy, *task, examples, options, {.output = job.scratch.path(), .record = record});
  ASSERT_TRUE(done) << done.error().message;
  // Of two answers the bad one, with the advantage −1, costs e^16 and the tangent over what is above 16.
  EXPECT_NEAR(job.rows[1].loss / std::exp(16.0), .5 * (1 + 200 - 16), 5);
  EXPECT_TRUE(std::isfinite(job.rows[1].gradient_norm));
  EXPECT_GT(job.rows[1].gradient_norm, 1.0);
}

TEST(PolicyUpdates, EveryStepHasItsFigures) {
  Job job;
  auto examples = rollouts_of(job.policy, 1);
  examples[0].paths[0].ended = false;
  auto options = one_step();
  options.steps = 30;
  const BigramPolicy before(kVocabulary);
  ASSERT_TRUE(job.run("ppo", {}, examples, options));
  const auto &first = job.rows.front(), &last = job.rows.back();
  double entropy = 0, reward = 0;
  for (const auto& example : examples) {
    for (const auto& path : example.paths) {
      reward += path.value / 32;
      for (std::size_t t = 0; t < 2; ++t) {
        for (TokenId token = 0; token < kVocabulary; ++token) {
          const double p = before.probability(path.tokens[t], token);
          entropy -= p * std::log(p) / 64;
        }
      }
    }
  }
  EXPECT_NEAR(*first.entropy, entropy, 1e-5);
  EXPECT_NEAR(*first.reward, reward, 1e-12);
  EXPECT_EQ(*first.length, 2.0);
  EXPECT_EQ(*first.clip_fraction, 0.0);
  EXPECT_GT(*last.clip_fraction, 0.0);
  EXPECT_NEAR(*first.kl, 0.0, 1e-9);
  EXPECT_GT(*last.kl, 0.0);
  EXPECT_NEAR(first.others.at("ended"), 31.0 / 32, 1e-12);
  EXPECT_NEAR(first.others.at("ratio"), 1.0, 1e-5);
  EXPECT_LT(last.others.at("value_loss"), first.others.at("value_loss"));
}

TEST(PolicyUpdates, ARoundThatWasStoppedEndsWithTheSameAdapter) {
  for (const std::string operation : {"grpo", "ppo"}) {
    Job before, whole, stopped, resumed;
    ASSERT_TRUE(before.run(operation, {}, rollouts_of(before.policy, 1)));
    const auto examples = rollouts_of(before.policy, 2);
    auto options = one_step();
    options.steps = 9;
    options.batch = 2;
    ASSERT_TRUE(whole.run(operation, {}, examples, options, before.checkpoint()));

    std::stop_source source;
    const auto task = task_of(operation);
    const auto record = [&](const TrainingStep& step) -> Result<void> {
      if (step.step == 5) source.request_stop();
      return {};
    };
    const auto cut = train(stopped.policy, *task, examples, options,
                           {.output = stopped.scratch.path(),
                            .job = sha256("job"),
                            .start = before.checkpoint(),
                            .record = record,
                            .stop = source.get_token()});
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().message, "stopped after step 4 of 9; run the same command to go on");
    const auto report = train(resumed.policy, *task, examples, options,
                              {.output = stopped.scratch.path(), .job = sha256("job"), .start = before.checkpoint()});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->resumed_from, 4U);
    EXPECT_EQ(resumed.policy.bytes(), whole.policy.bytes());
  }
}

TEST(PolicyUpdates, TheWeightOfTheKlIsAdaptedFromJobToJob) {
  Job first, second;
  const Given given{{"beta", "0.1"}, {"kl_target", "6"}};
  ASSERT_TRUE(first.run("ppo", given, rollouts_of(first.policy, 1)));
  ASSERT_TRUE(second.run("ppo", given, rollouts_of(first.policy, 2), one_step(), first.checkpoint()));
  EXPECT_NEAR(first.rows.front().others.at("beta"), .1, 1e-12);
  EXPECT_NEAR(second.rows.front().others.at("beta"), .1 * (1 - .1 * .2), 1e-12);  // no drift yet: the largest step down
}

TEST(PolicyUpdates, AWeightOfTheKlThatIsNotAdaptedIsTheJobsOwn) {
  for (const std::string operation : {"rloo", "ppo"}) {
    Job first, second;
    ASSERT_TRUE(first.run(operation, {{"beta", "0.1"}}, rollouts_of(first.policy, 1)));
    ASSERT_TRUE(second.run(operation, {{"beta", "0.3"}}, rollouts_of(first.policy, 2), one_step(), first.checkpoint()));
    EXPECT_EQ(second.rows.front().others.at("beta"), .3) << operation;
  }
}

TEST(PolicyUpdates, AnswersThatDoNotEndLoseThePenalty) {
  Job job;
  auto examples = rollouts_of(job.policy, 1);
  for (auto& example : examples) {
    for (auto& path : example.paths) {
      path.value = 0;
      path.ended = path.tokens[1] < 6;
    }
  }
  double before = 0, after = 0;
  for (TokenId token = 0; token < 6; ++token) before += job.policy.probability(0, token);
  auto options = one_step();
  options.steps = 3;
  ASSERT_TRUE(job.run("grpo", {{"missing_end_penalty", "1"}}, examples, options));
  for (TokenId token = 0; token < 6; ++token) after += job.policy.probability(0, token);
  EXPECT_GT(after, before);
}

TEST(PolicyUpdates, ExamplesThatAreNoRolloutsAreRefusedByName) {
  Job job;
  const std::vector<TrainingExample> one{{"lonely", {{{0, 4}, 1, 0, 1.0, {-1}}}}},
      bare{{"bare", {{{0, 4}, 1, 0, 1.0}, {{0, 5}, 1, 0, 1.0}}}};
  EXPECT_EQ(job.run("grpo", {}, one).error().message, "lonely: at least 2 answers to each prompt are needed, it has 1");
  EXPECT_THAT(
      job.run("rloo", {}, bare).error().message,
      HasSubstr("bare: a drawn answer should have a reward that is a number and the sampler's log-probability of "
                "each of its 1 tokens; it has reward 1 and 0 log-probabilities"));
}

TEST(PolicyUpdates, AStartOfOtherParametersIsRefused) {
  Job with_values, job;
  ASSERT_TRUE(with_values.run("ppo", {}, rollouts_of(job.policy, 1)));
  const Scratch scratch;
  BigramPolicy without(kVocabulary);
  const auto done = train(without, *task_of("grpo"), rollouts_of(job.policy, 1), one_step(),
                          {.output = scratch.path(), .start = with_values.checkpoint()});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("it holds 2 parameters, the model has 1"));
}

}  // namespace
}  // namespace valence::train
