#include "trainer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <limits>
#include <numbers>
#include <optional>
#include <thread>

#include "bigram_policy.h"
#include "checkpoint.h"
#include "support/full_disk.h"
#include "support/scratch.h"
#include "valence/base/random.h"
#include "valence/train/operations.h"

namespace valence::train {
namespace {

using testing::BigramPolicy;
using testing::kVocabulary;
using testing::settings_of;
using testing::task_of;
using valence::testing::content_of;
using valence::testing::FullDisk;
using valence::testing::Scratch;

AnswerPath path(std::vector<TokenId> tokens, double value = 1.0, std::size_t group = 0) {
  return {std::move(tokens), 1, group, value};
}

/// After token q comes q + 1 (better) or q + 2 (worse), in pairs.
std::vector<TrainingExample> pairs() {
  std::vector<TrainingExample> examples;
  for (TokenId q = 0; q < 8; ++q) examples.push_back({fmt::format("pair {}", q), {path({q, q + 1}), path({q, q + 2})}});
  return examples;
}

/// Two layouts of a question whose target is .75 and .25.
std::vector<TrainingExample> choices() {
  std::vector<TrainingExample> examples;
  for (TokenId q = 0; q < 4; ++q) {
    examples.push_back(
        {fmt::format("question {}", q),
         {path({q, 10}, .75, 0), path({q, 11}, .25, 0), path({q + 4, 10}, .25, 1), path({q + 4, 11}, .75, 1)}});
  }
  return examples;
}

TrainerOptions quick(std::size_t steps, std::size_t batch = 4) {
  TrainerOptions options;
  options.learning_rate = .05;
  options.steps = steps;
  options.batch = batch;
  options.checkpoint_every = 5;
  options.seed = 3;
  return options;
}

TEST(Trainer, ChoiceAlignmentReachesTheTargetDistributionInEveryLayout) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const auto examples = choices();
  const auto report = train(policy, *task_of("choice"), examples, quick(600), {.output = scratch.path()});
  ASSERT_TRUE(report) << report.error().message;
  for (TokenId q = 0; q < 4; ++q) {
    EXPECT_NEAR(policy.probability(q, 10), .75, .02);
    EXPECT_NEAR(policy.probability(q + 4, 11), .75, .02);
  }
}

TEST(Trainer, EveryPairwiseLossPutsTheBetterAnswerFirst) {
  for (const std::string operation : {"dpo", "simpo", "cpo", "orpo", "slic"}) {
    const Scratch scratch;
    BigramPolicy policy(kVocabulary);
    const auto examples = pairs();
    const auto task = task_of(operation);
    ASSERT_TRUE(train(policy, *task, examples, quick(200), {.output = scratch.path()}));
    const auto after = evaluate(policy, *task, examples).value();
    EXPECT_EQ(after.figures.mean("accuracy"), 1.0) << operation;
    for (TokenId q = 0; q < 8; ++q) EXPECT_GT(policy.probability(q, q + 1), policy.probability(q, q + 2)) << operation;
  }
}

TEST(Trainer, HeldOutExamplesNeedTheirReferenceOnce) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const auto examples = pairs();
  const auto task = task_of("dpo");
  Reference kept;
  ASSERT_TRUE(evaluate(policy, *task, examples, {.reference = &kept}));
  ASSERT_EQ(kept.size(), examples.size());
  ASSERT_TRUE(train(policy, *task, examples, quick(20), {.output = scratch.path()}));
  EXPECT_EQ(evaluate(policy, *task, examples, {.reference = &kept})->margins,
            evaluate(policy, *task, examples)->margins);
  kept.front().front() = kept.front().front() + 5.0;  // were it computed again, this would change nothing
  EXPECT_NE(evaluate(policy, *task, examples, {.reference = &kept})->margins,
            evaluate(policy, *task, examples)->margins);
}

TEST(Trainer, ARunThatGoesOnTakesTheReferenceThatWasKept) {
  const auto examples = pairs();
  const auto task = task_of("dpo");
  const Scratch scratch;
  const auto rate = [&](const KeptAt& kept) {
    BigramPolicy policy(kVocabulary);
    return evaluate(policy, *task, examples, {.kept = kept})->margins;
  };
  const KeptAt kept{scratch / "reference.bin", sha256("job")};
  const auto fresh = rate(kept);
  EXPECT_EQ(rate(kept), fresh);
  auto changed = read_checkpoint(kept.file).value();
  changed.tensors.front().second[0] += 1.0;
  ASSERT_TRUE(write_checkpoint(kept.file, changed));
  EXPECT_NE(rate(kept), fresh) << "what was kept is what is taken";
  EXPECT_EQ(rate({kept.file, sha256("another job")}), fresh) << "of another job: computed, and kept in its place";
  EXPECT_EQ(rate({kept.file, sha256("another job")}), fresh);
  valence::testing::put_file(kept.file, "no checkpoint");
  EXPECT_EQ(rate(kept), fresh) << "damaged: computed";
}

TEST(Trainer, LookingAtHeldOutExamplesCanBeStopped) {
  BigramPolicy policy(kVocabulary);
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = evaluate(policy, *task_of("sft"), std::vector<TrainingExample>{{"t", {path({0, 1})}}},
                                {.stop = stop.get_token()});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kStopped);
}

TEST(Trainer, RankingAndLabelsAreLearnedToo) {
  const Scratch ranked, labelled;
  BigramPolicy first(kVocabulary), second(kVocabulary);
  std::vector<TrainingExample> rankings, labels;
  for (TokenId q = 0; q < 6; ++q) {
    rankings.push_back({"r", {path({q, q + 1}, 3), path({q, q + 2}, 2), path({q, q + 3}, 1)}});
    labels.push_back({"good", {path({q, q + 1}, 1), path({q, 11}, 0, 1)}});
    labels.push_back({"bad", {path({q, q + 2}, 0), path({q, 11}, 0, 1)}});
  }
  ASSERT_TRUE(train(first, *task_of("rrhf"), rankings, quick(200), {.output = ranked.path()}));
  ASSERT_TRUE(train(second, *task_of("kto", {{"beta", "1"}}), labels, quick(200), {.output = labelled.path()}));
  const BigramPolicy before(kVocabulary);
  for (TokenId q = 0; q < 6; ++q) {
    EXPECT_GT(first.probability(q, q + 1), first.probability(q, q + 3));
    EXPECT_GT(second.probability(q, q + 1), before.probability(q, q + 1));
    EXPECT_LT(second.probability(q, q + 2), before.probability(q, q + 2));
  }
}

TEST(Trainer, ARewardModelOrdersPairsAndRankings) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const std::vector<TrainingExample> examples{{"pair", {path({0, 1}), path({0, 2})}},
                                              {"ranking", {path({0, 5}, 3), path({0, 4}, 2), path({0, 3}, 1)}}};
  const auto task = task_of("reward");
  ASSERT_TRUE(train(policy, *task, examples, quick(150, 2), {.output = scratch.path()}));
  const auto after = evaluate(policy, *task, examples).value();
  EXPECT_EQ(after.figures.mean("accuracy"), 1.0);
  EXPECT_GT(after.figures.mean("margin"), 1.0);
}

TEST(Trainer, TheOrderOfEquallyGoodAnswersTeachesNothing) {
  for (const std::string operation : {"reward", "rrhf"}) {
    const auto trained = [&](bool swapped) {
      const Scratch scratch;
      BigramPolicy policy(kVocabulary);
      std::vector<AnswerPath> answers{path({0, 5}, 3), path({0, 4}, 3), path({0, 3}, 1)};
      if (swapped) std::swap(answers[0], answers[1]);
      auto options = quick(20, 1);
      options.optimiser = Optimiser::kSgd;
      const std::vector<TrainingExample> examples{{"ranking", answers}};
      EXPECT_TRUE(train(policy, *task_of(operation), examples, options, {.output = scratch.path()}));
      return policy.parameters()[0].second.detach().clone();
    };
    EXPECT_TRUE(torch::allclose(trained(false), trained(true), 1e-5, 1e-6)) << operation;
  }
}

TEST(Trainer, RankingsThatRankNothingAndMarginsOfRankingsAreRefusedByName) {
  BigramPolicy policy(kVocabulary);
  const std::vector<TrainingExample> tied{{"tied", {path({0, 5}), path({0, 4}), path({0, 3})}}},
      ranking{{"ranking", {path({0, 5}, 3), path({0, 4}, 2), path({0, 3}, 1)}}};
  for (const std::string operation : {"reward", "rrhf"}) {
    EXPECT_EQ(train(policy, *task_of(operation), tied, quick(1), {}).error().message,
              "tied: its 3 answers have the same score, so that none is better; leave the record out");
  }
  EXPECT_EQ(train(policy, *task_of("reward", {{"margin", "0.5"}}), ranking, quick(1), {}).error().message,
            "ranking: margin = 0.5: of pairs, and this is a ranking of 3 answers; leave margin at 0, or keep rankings "
            "in a file of their own");
}

/// Labelled answers, and a policy that found token 11, which every mismatched answer is, likelier after even tokens.
std::vector<TrainingExample> labelled_answers(BigramPolicy& policy) {
  const auto table = policy.parameters()[0].second.data();
  std::vector<TrainingExample> examples;
  for (TokenId q = 0; q < 6; ++q) {
    if (q % 2 == 0) table[q][11].add_(3.0);
    examples.push_back({fmt::format("answer {}", q), {path({q, q + 1}, q % 2), path({q, 11}, 0, 1)}});
  }
  return examples;
}

TEST(Trainer, KtosReferencePointIsTheStepsMeanHoweverItIsCutIntoPasses) {
  const auto task = task_of("kto", {{"beta", "1"}});
  std::vector<TrainingStep> rows;
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    rows.push_back(step);
    return {};
  };
  const auto trained = [&](std::size_t pass_tokens) {
    const Scratch scratch;
    BigramPolicy policy(kVocabulary);
    const auto examples = labelled_answers(policy);
    auto options = quick(4, 6);
    options.pass_tokens = pass_tokens;
    EXPECT_TRUE(train(policy, *task, examples, options, {.output = scratch.path(), .record = record}));
    return policy.parameters()[0].second.detach().clone();
  };
  BigramPolicy policy(kVocabulary);
  const BigramPolicy before(kVocabulary);
  const auto examples = labelled_answers(policy);
  double point = 0.0;
  for (TokenId q = 0; q < 6; ++q) point += std::log(policy.probability(q, 11) / before.probability(q, 11)) / 6;
  ASSERT_GT(point, .1);

  const auto whole = trained(2048), parts = trained(4);
  EXPECT_TRUE(torch::allclose(whole, parts, 1e-5, 1e-5));
  ASSERT_EQ(rows.size(), 8U);
  EXPECT_NEAR(rows[0].others.at("reference_point"), point, 1e-5);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(rows[i].loss, rows[i + 4].loss, 1e-5);
    EXPECT_NEAR(rows[i].others.at("reference_point"), rows[i + 4].others.at("reference_point"), 1e-5);
  }
  EXPECT_NEAR(evaluate(policy, *task, examples, {.pass_tokens = 4})->figures.mean("reference_point"), point, 1e-5);
}

TEST(Trainer, TheMeanLengthOfAnswersDoesNotDependOnThePasses) {
  const std::vector<TrainingExample> talks{{"short", {path({0, 1})}}, {"long", {path({0, 1, 2, 3}), path({2, 3, 4})}}};
  for (const auto pass_tokens : {std::size_t{1}, std::size_t{2048}}) {
    const Scratch scratch;
    BigramPolicy policy(kVocabulary);
    std::optional<double> length;
    const auto record = [&](const TrainingStep& step) -> Result<void> {
      length = step.length;
      return {};
    };
    auto options = quick(1, 2);
    options.pass_tokens = pass_tokens;
    ASSERT_TRUE(train(policy, *task_of("sft"), talks, options, {.output = scratch.path(), .record = record}));
    EXPECT_EQ(length, 2.0) << pass_tokens;  // 1, 3 and 2 tokens
  }
}

TEST(Trainer, ReferenceLogProbabilitiesAreComputedOnce) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const auto examples = pairs();
  ASSERT_TRUE(train(policy, *task_of("dpo"), examples, quick(40), {.output = scratch.path()}));
  EXPECT_EQ(policy.reference_calls, 1U);
}

TEST(Trainer, AccumulationOverPassesGivesTheSameStepsAsOnePass) {
  const Scratch one, many;
  BigramPolicy whole(kVocabulary), parts(kVocabulary);
  const auto examples = pairs();
  auto options = quick(10, 8);
  ASSERT_TRUE(train(whole, *task_of("dpo"), examples, options, {.output = one.path()}));
  options.pass_tokens = 4;  // one pair a pass
  ASSERT_TRUE(train(parts, *task_of("dpo"), examples, options, {.output = many.path()}));
  EXPECT_GT(parts.calls, whole.calls);
  for (TokenId q = 0; q < 8; ++q) EXPECT_NEAR(whole.probability(q, q + 1), parts.probability(q, q + 1), 1e-5);
}

TEST(Trainer, EveryStepIsRecordedWithItsFiguresAndPhases) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const auto examples = pairs();
  std::vector<TrainingStep> rows;
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    rows.push_back(step);
    return {};
  };
  ASSERT_TRUE(train(policy, *task_of("dpo"), examples, quick(6), {.output = scratch.path(), .record = record}));
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[0].step, 1);
  EXPECT_NEAR(rows[0].loss, std::log(2.0), 1e-6);  // at the reference
  EXPECT_NEAR(*rows[0].kl, 0.0, 1e-9);
  EXPECT_GT(*rows[5].kl, 0.0);
  EXPECT_TRUE(rows[5].margin && rows[5].accuracy && rows[5].reward_chosen && rows[5].length);
  EXPECT_GT(rows[0].gradient_norm, 0.0);
  EXPECT_EQ(rows[0].phases.size(), 3U);
}

/// All pairs in every step, which goes along the gradient, as far as it is long where nothing else is said.
TrainerOptions descent(std::size_t steps) {
  auto options = quick(steps, 8);
  options.optimiser = Optimiser::kSgd;
  options.learning_rate = 1;
  options.max_gradient_norm = 0;
  return options;
}

/// The rows of a run, and how far every step moved the policy.
struct Walk {
  std::vector<TrainingStep> rows;
  std::vector<double> lengths;
};

Walk walk(const TrainerOptions& options) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const torch::Tensor table = policy.parameters()[0].second.data();
  auto before = table.clone();
  Walk walked;
  const auto record = [&](const TrainingStep& row) -> Result<void> {
    walked.rows.push_back(row);
    walked.lengths.push_back((table - before).norm().item<double>());
    before = table.clone();
    return {};
  };
  const auto done = train(policy, *task_of("dpo"), pairs(), options, {.output = scratch.path(), .record = record});
  EXPECT_TRUE(done) << done.error().message;
  return walked;
}

TEST(Trainer, GradientsAreScaledDownToTheNormThatIsGivenAndNeverUp) {
  // At the reference the mean over 8 pairs pulls at two logits of each pair, at each by an eighth of β/2: .05/8 · √16.
  constexpr double kNorm = .025;
  auto options = descent(1);
  for (const auto& [most, length] : {std::pair{0.0, kNorm}, {1.0, kNorm}, {.01, .01}}) {
    options.max_gradient_norm = most;
    const auto walked = walk(options);
    EXPECT_NEAR(walked.lengths.at(0), length, 3e-6) << most;
    EXPECT_NEAR(walked.rows.at(0).gradient_norm, kNorm, 1e-6) << "as it was before, also with " << most;
  }
}

TEST(Trainer, TheLearningRateGoesAsTheScheduleSaysInRowsAndSteps) {
  for (const auto schedule : {Schedule::kConstant, Schedule::kLinear, Schedule::kCosine}) {
    auto options = descent(8);
    options.learning_rate = .5;
    options.warmup = .25;
    options.schedule = schedule;
    const auto walked = walk(options);
    ASSERT_EQ(walked.rows.size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) {
      const double done = (static_cast<double>(i) - 2) / 6;  // of the steps after the warm-up
      double share = 1;
      if (schedule == Schedule::kLinear) share = 1 - done;
      if (schedule == Schedule::kCosine) share = .5 * (1 + std::cos(std::numbers::pi * done));
      if (i < 2) share = static_cast<double>(i + 1) / 3;
      EXPECT_NEAR(walked.rows[i].learning_rate, .5 * share, 1e-12) << "step " << i;
      EXPECT_NEAR(walked.lengths[i], .5 * share * walked.rows[i].gradient_norm, 3e-6) << "step " << i;
    }
  }
}

TEST(Trainer, WeightDecayIsTheJobsOwnAndShrinksWhatNothingElseMoves) {
  for (const auto optimiser : {Optimiser::kAdamW, Optimiser::kSgd}) {
    const Scratch first, second;
    BigramPolicy policy(kVocabulary);
    const auto idle =
        policy.parameters()[0].second.data().narrow(0, 8, 4);  // logits after tokens that no pair has there
    const auto before = idle.clone();
    auto options = quick(3, 8);
    options.optimiser = optimiser;
    ASSERT_TRUE(train(policy, *task_of("dpo"), pairs(), options, {.output = first.path()}));
    EXPECT_TRUE(torch::equal(idle, before));
    options.learning_rate = .1;
    options.weight_decay = .5;
    ASSERT_TRUE(
        train(policy, *task_of("dpo"), pairs(), options, {.output = second.path(), .start = first / "checkpoint.bin"}));
    EXPECT_TRUE(torch::allclose(idle, before * std::pow(1 - .1 * .5, 3), 1e-5, 1e-6));  // p ← p − rate · decay · p
  }
}

TEST(Trainer, OptionsAreWhatTheSettingsSay) {
  const auto options = trainer_options(settings_of("sft", {{"update_rule", "sgd"},
                                                           {"learning_rate", "0.25"},
                                                           {"schedule", "cosine"},
                                                           {"warmup", "0.125"},
                                                           {"weight_decay", "0.5"},
                                                           {"max_gradient_norm", "0.75"},
                                                           {"epochs", "3"},
                                                           {"steps", "7"},
                                                           {"batch", "5"},
                                                           {"pass_tokens", "64"},
                                                           {"checkpoint_every", "9"},
                                                           {"most_kl", "1.5"}}),
                                       11);
  EXPECT_EQ(options.optimiser, Optimiser::kSgd);
  EXPECT_EQ(options.learning_rate, .25);
  EXPECT_EQ(options.schedule, Schedule::kCosine);
  EXPECT_EQ(options.warmup, .125);
  EXPECT_EQ(options.weight_decay, .5);
  EXPECT_EQ(options.max_gradient_norm, .75);
  EXPECT_EQ(options.epochs, 3.0);
  EXPECT_EQ(options.steps, 7U);
  EXPECT_EQ(options.batch, 5U);
  EXPECT_EQ(options.pass_tokens, 64U);
  EXPECT_EQ(options.checkpoint_every, 9U);
  EXPECT_EQ(options.most_kl, 1.5);
  EXPECT_EQ(options.seed, 11U);
  EXPECT_EQ(trainer_options(settings_of("sft", {{"schedule", "linear"}}), 0).schedule, Schedule::kLinear);
  EXPECT_EQ(trainer_options(settings_of("sft"), 0).schedule, Schedule::kConstant);
  EXPECT_EQ(trainer_options(settings_of("sft"), 0).optimiser, Optimiser::kAdamW);
}

TEST(Trainer, TheSameSeedGivesTheSameAdapterAndAnotherSeedAnother) {
  const auto adapter = [](std::uint64_t seed) {
    const Scratch scratch;
    BigramPolicy policy(kVocabulary);
    auto options = quick(12, 3);
    options.seed = seed;
    EXPECT_TRUE(train(policy, *task_of("dpo"), pairs(), options, {.output = scratch.path()}));
    return policy.bytes();
  };
  EXPECT_EQ(adapter(1), adapter(1));
  EXPECT_NE(adapter(1), adapter(2));
}

TEST(Trainer, AStoppedRunGoesOnToTheSameAdapter) {
  const Scratch whole, stopped;
  BigramPolicy never(kVocabulary);
  const auto examples = pairs();
  ASSERT_TRUE(train(never, *task_of("dpo"), examples, quick(23, 3), {.output = whole.path(), .job = sha256("job")}));

  std::stop_source source;
  std::size_t steps = 0;
  const auto record = [&](const TrainingStep&) -> Result<void> {
    if (++steps == 7) source.request_stop();
    return {};
  };
  BigramPolicy first(kVocabulary);
  const auto cut =
      train(first, *task_of("dpo"), examples, quick(23, 3),
            {.output = stopped.path(), .job = sha256("job"), .record = record, .stop = source.get_token()});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kStopped);
  EXPECT_EQ(cut.error().message, "stopped after step 7 of 23; run the same command to go on");

  BigramPolicy second(kVocabulary);
  const auto report =
      train(second, *task_of("dpo"), examples, quick(23, 3), {.output = stopped.path(), .job = sha256("job")});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->resumed_from, 7U);
  EXPECT_EQ(second.bytes(), never.bytes());
}

/// Trains in a process of its own, slowly enough to be killed.
pid_t start_training(const std::filesystem::path& folder) {
  const auto child = ::fork();
  if (child != 0) return child;
  torch::set_num_threads(1);
  BigramPolicy policy(kVocabulary);
  const auto record = [](const TrainingStep&) -> Result<void> {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return {};
  };
  const auto examples = pairs();
  const auto done = train(policy, *task_of("dpo"), examples, quick(200, 3),
                          {.output = folder, .job = sha256("job"), .record = record});
  ::_exit(done ? 0 : 1);
}

TEST(Trainer, KilledTenTimesItEndsWithTheSameAdapter) {
  const Scratch whole, killed;
  int status = 0;
  ::waitpid(start_training(whole.path()), &status, 0);
  ASSERT_EQ(status, 0);
  RandomStream stream(5, "kill moments");
  for (int kill = 0; kill < 10; ++kill) {
    const auto child = start_training(killed.path());
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + stream.below(60)));
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  ::waitpid(start_training(killed.path()), &status, 0);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(content_of(killed / "adapter.bin"), content_of(whole / "adapter.bin"));
}

TEST(Trainer, StartedAnewInTheMiddleItEndsWithTheSameAdapter) {
  const auto examples = pairs();
  const auto task = task_of("dpo");
  const Scratch whole, broken;
  BigramPolicy policy(kVocabulary);
  const auto done = train(policy, *task, examples, quick(20), {.output = whole.path()}).value();
  std::size_t asked = 0;
  const StartAnew third{[&asked] { return ++asked == 3; }, [] { return Result<void>(fail(ErrorCode::kIo, "anew")); }};
  BigramPolicy first(kVocabulary), second(kVocabulary);
  const auto begun = train(first, *task, examples, quick(20), {.output = broken.path(), .anew = third});
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().message, "anew");
  const auto ended = train(second, *task, examples, quick(20), {.output = broken.path(), .anew = third});
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->resumed_from, 3u);
  EXPECT_EQ(content_of(ended->adapter), content_of(done.adapter));
}

TEST(Trainer, LookingAtHeldOutExamplesCanStartAnew) {
  BigramPolicy policy(kVocabulary);
  const auto looked = evaluate(
      policy, *task_of("dpo"), pairs(),
      {.pass_tokens = 1, .anew = {[] { return true; }, [] { return Result<void>(fail(ErrorCode::kIo, "anew")); }}});
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().message, "anew");
}

TEST(Trainer, AStopComesBeforeStartingAnew) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const auto examples = pairs();
  std::stop_source source;
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    if (step.step == 4) source.request_stop();
    return {};
  };
  const StartAnew anew{[&] { return source.stop_requested(); },
                       [] { return Result<void>(fail(ErrorCode::kIo, "anew")); }};
  const auto done = train(policy, *task_of("dpo"), examples, quick(20),
                          {.output = scratch.path(), .record = record, .stop = source.get_token(), .anew = anew});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "stopped after step 4 of 20; run the same command to go on");
}

/// Asks for a stop as soon as something was done.
struct StopAtOnce final : Progress {
  void start(std::string_view, std::size_t, std::string_view) override {}
  void advance(std::size_t) override { source.request_stop(); }
  void note(std::string_view) override {}
  void finish() override {}

  std::stop_source source;
};

TEST(Trainer, LookingAtHeldOutExamplesAStopComesBeforeStartingAnew) {
  BigramPolicy policy(kVocabulary);
  StopAtOnce progress;
  const std::vector<TrainingExample> examples{{"one", {path({0, 1})}}, {"two", {path({1, 2})}}};
  const auto looked =
      evaluate(policy, *task_of("sft"), examples,
               {.pass_tokens = 1,
                .progress = &progress,
                .stop = progress.source.get_token(),
                .anew = {[] { return true; }, [] { return Result<void>(fail(ErrorCode::kIo, "anew")); }}});
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().code, ErrorCode::kStopped);
}

TEST(Trainer, AFullDiskEndsTheRunAndNothingIsLost) {
  const Scratch whole, full;
  BigramPolicy never(kVocabulary), first(kVocabulary), second(kVocabulary);
  const auto examples = pairs();
  ASSERT_TRUE(train(never, *task_of("dpo"), examples, quick(23, 3), {.output = whole.path(), .job = sha256("job")}));

  std::unique_ptr<FullDisk> disk;
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    if (step.step == 8) disk = std::make_unique<FullDisk>(1000);
    return {};
  };
  const auto cut = train(first, *task_of("dpo"), examples, quick(23, 3),
                         {.output = full.path(), .job = sha256("job"), .record = record});
  disk.reset();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(read_checkpoint(full / "checkpoint.bin")->step, 5U);

  const auto report =
      train(second, *task_of("dpo"), examples, quick(23, 3), {.output = full.path(), .job = sha256("job")});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->resumed_from, 5U);
  EXPECT_EQ(second.bytes(), never.bytes());
}

TEST(Trainer, ANumberThatIsNoneStopsTheRunWithTheLastGoodAdapterKept) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  policy.break_at = 7;
  const auto examples = pairs();
  const auto done = train(policy, *task_of("dpo"), examples, quick(20), {.output = scratch.path()});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kModel);
  EXPECT_EQ(done.error().message, fmt::format("step 8: the loss is no number; the adapter of step 5 is kept in {}. "
                                              "Lower --learning-rate or look at the data, "
                                              "and name another output folder",
                                              scratch.path().string()));
  BigramPolicy good(kVocabulary);
  const Scratch other;
  ASSERT_TRUE(train(good, *task_of("dpo"), examples, quick(5), {.output = other.path()}));
  EXPECT_EQ(content_of(scratch / "adapter.bin"), content_of(other / "adapter.bin"));
}

/// Weights that are numbers, under which no loss is one: every token but the first is impossible.
void make_impossible(BigramPolicy& policy) {
  const auto table = policy.parameters()[0].second.data();
  table.fill_(-3e38F);
  table.select(1, 0).fill_(3e38F);
}

TEST(Trainer, WhatACheckpointKeepsHasPassedTheGuard) {
  const Scratch scratch, other;
  BigramPolicy policy(kVocabulary), good(kVocabulary);
  const auto examples = pairs();
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    if (step.step == 10) make_impossible(policy);  // a checkpoint is due now
    return {};
  };
  const auto done = train(policy, *task_of("dpo"), examples, quick(20), {.output = scratch.path(), .record = record});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kModel);
  EXPECT_EQ(done.error().message, fmt::format("step 11: the loss is no number; the adapter of step 5 is kept in {}. "
                                              "Lower --learning-rate or look at the data, "
                                              "and name another output folder",
                                              scratch.path().string()));
  EXPECT_EQ(read_checkpoint(scratch / "checkpoint.bin")->step, 5U);
  ASSERT_TRUE(train(good, *task_of("dpo"), examples, quick(5), {.output = other.path()}));
  EXPECT_EQ(content_of(scratch / "adapter.bin"), content_of(other / "adapter.bin"));
}

TEST(Trainer, ParametersThatAreNoNumbersAreNotKeptAtTheEnd) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const auto examples = pairs();
  const auto record = [&](const TrainingStep& step) -> Result<void> {
    if (step.step == 8) policy.parameters()[0].second.data().fill_(std::numeric_limits<float>::infinity());
    return {};
  };
  const auto done = train(policy, *task_of("dpo"), examples, quick(8), {.output = scratch.path(), .record = record});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kModel);
  EXPECT_TRUE(done.error().message.starts_with("step 8: a parameter is no number; the adapter of step 5 is kept in "))
      << done.error().message;
  EXPECT_EQ(read_checkpoint(scratch / "checkpoint.bin")->step, 5U);
}

TEST(Trainer, DriftBeyondTheLimitStopsTheRun) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  auto options = quick(400);
  options.most_kl = .05;
  const auto examples = pairs();
  const auto done = train(policy, *task_of("cpo"), examples, options, {.output = scratch.path()});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("nats per learned token, above --most-kl 0.05; the adapter of step"),
            std::string::npos)
      << done.error().message;
}

TEST(Trainer, ACheckpointOfAnotherJobIsRefused) {
  const Scratch scratch;
  BigramPolicy policy(kVocabulary);
  const auto examples = pairs();
  ASSERT_TRUE(train(policy, *task_of("dpo"), examples, quick(5), {.output = scratch.path(), .job = sha256("one")}));
  const auto done =
      train(policy, *task_of("dpo"), examples, quick(5), {.output = scratch.path(), .job = sha256("two")});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            fmt::format(
                "{} belongs to another job (other data, settings or weights); name another output folder or remove it",
                (scratch / "checkpoint.bin").string()));
}

TEST(Trainer, ExamplesOfAnotherShapeAreRefusedByName) {
  BigramPolicy policy(kVocabulary);
  const auto examples = choices();
  const auto done = train(policy, *task_of("dpo"), examples, quick(5), {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "question 0: a pair has 2 answers, the better one first; it has 4");
}

TEST(Checkpoints, ComeBackBitForBit) {
  const Scratch scratch;
  torch::manual_seed(1);
  const Checkpoint checkpoint{
      sha256("job"), 41, {{"a", torch::randn({3, 4})}, {"b", torch::randn({2})}}, std::string("state\0bytes", 11)};
  ASSERT_TRUE(write_checkpoint(scratch / "c", checkpoint));
  const auto read = read_checkpoint(scratch / "c");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->step, 41U);
  EXPECT_EQ(read->job, checkpoint.job);
  EXPECT_EQ(read->optimiser, checkpoint.optimiser);
  EXPECT_EQ(read->tensors[1].first, "b");
  EXPECT_TRUE(torch::equal(read->tensors[0].second, checkpoint.tensors[0].second));
}

TEST(Checkpoints, DamageIsFound) {
  const Scratch scratch;
  ASSERT_TRUE(write_checkpoint(scratch / "c", {sha256("job"), 1, {{"a", torch::ones({8})}}, ""}));
  const auto whole = content_of(scratch / "c");
  auto flipped = whole;
  flipped[whole.size() - 40] ^= 1;
  const std::vector<std::pair<std::string, std::string>> cases{
      {flipped, "its content is not what was written"},
      {whole.substr(0, whole.size() - 5), "its content is not what was written"},
      {"hello", "it is no checkpoint"}};
  for (const auto& [content, expected] : cases) {
    ASSERT_TRUE(write_file(scratch / "d", content));
    const auto read = read_checkpoint(scratch / "d");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(read.error().message,
              fmt::format("checkpoint {}: {}; remove it to start anew", (scratch / "d").string(), expected));
  }
}

TEST(Checkpoints, AShapeThatTheFileCannotHoldIsDamageAndAsksForNoMemory) {
  const Scratch scratch;
  for (const std::string shape : {"[1125899906842624]", "[4294967296, 4294967296]", "[-1]"}) {
    auto content = fmt::format(
        "VALENCE CHECKPOINT 1\n{{\"job\": \"{}\", \"step\": 1, \"processes\": 1, \"optimiser_bytes\": 0, "
        "\"tensors\": [{{\"name\": \"a\", \"shape\": {}}}]}}\n",
        sha256("job").hex(), shape);
    const auto seal = sha256(content);
    content.append(reinterpret_cast<const char*>(seal.bytes.data()), seal.bytes.size());
    ASSERT_TRUE(write_file(scratch / "c", content));
    const auto read = read_checkpoint(scratch / "c");
    ASSERT_FALSE(read) << shape;
    EXPECT_EQ(read.error().message,
              fmt::format("checkpoint {}: it ends in a parameter; remove it to start anew", (scratch / "c").string()));
  }
}

TEST(Checkpoints, SayWhoseTheyAreByTheirFirstLines) {
  const Scratch scratch;
  ASSERT_TRUE(write_checkpoint(scratch / "c", {sha256("job"), 1, {{"a", torch::ones({8})}}, ""}));
  const auto whose = job_of_checkpoint(scratch / "c"), nobodys = job_of_checkpoint(scratch / "none");
  ASSERT_TRUE(whose && nobodys);
  EXPECT_EQ(whose->value(), sha256("job"));
  EXPECT_FALSE(nobodys->has_value());
  ASSERT_TRUE(write_file(scratch / "d", "hello"));
  EXPECT_EQ(job_of_checkpoint(scratch / "d").error().code, ErrorCode::kCorrupt);
}

TEST(Schedules, WarmUpThenStayOrFall) {
  EXPECT_NEAR(rate_at(0, 100, 10, Schedule::kConstant), 1.0 / 11, 1e-12);
  EXPECT_EQ(rate_at(10, 100, 10, Schedule::kConstant), 1.0);
  EXPECT_EQ(rate_at(99, 100, 10, Schedule::kConstant), 1.0);
  EXPECT_NEAR(rate_at(55, 100, 10, Schedule::kLinear), .5, 1e-12);
  EXPECT_NEAR(rate_at(55, 100, 10, Schedule::kCosine), .5, 1e-12);
  for (std::size_t step = 1; step < 100; ++step) EXPECT_GT(rate_at(step, 100, 0, Schedule::kCosine), 0.0);
}

TEST(Orders, GoThroughAllExamplesInEveryEpochInAnOrderOfItsOwn) {
  Order order(1, 10, 3);
  std::vector<std::vector<std::size_t>> epochs(2);
  for (std::size_t step = 0; step < 2 * order.steps_per_epoch(); ++step) {
    const auto part = order.at(step);
    auto& epoch = epochs[step / order.steps_per_epoch()];
    epoch.insert(epoch.end(), part.begin(), part.end());
  }
  EXPECT_NE(epochs[0], epochs[1]);
  for (auto& epoch : epochs) {
    std::ranges::sort(epoch);
    EXPECT_EQ(epoch, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
}

TEST(Orders, AStepsExamplesDoNotDependOnTheStepsBefore) {
  Order straight(7, 20, 4), jumped(7, 20, 4);
  for (std::size_t step = 0; step < 13; ++step) straight.at(step);
  EXPECT_EQ(straight.at(13), jumped.at(13));
}

}  // namespace
}  // namespace valence::train
