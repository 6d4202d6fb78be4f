// A whole training run on a tiny random model: what the trainer learned is measured by the engine.
#include "valence/train/carry_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/llama_tiny.h"
#include "support/environment.h"
#include "support/scratch.h"
#include "tiny_runs.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/store/store.h"
#include "valence/train/example.h"
#include "valence/train/job.h"
#include "valence/train/operations.h"
#include "valence/train/outcome.h"

namespace valence {
namespace {

using testing::content_of;
using testing::put_file;

/// Asks for a stop after so many steps of the training.
struct StopAfter final : Progress {
  explicit StopAfter(std::size_t count) : left(count) {}
  void start(std::string_view what, std::size_t, std::string_view) override { training = what == "training"; }
  void advance(std::size_t count) override {
    if (training && left <= count) stop.request_stop();
    if (training) left -= std::min(left, count);
  }
  void note(std::string_view) override {}
  void finish() override {}

  std::stop_source stop;
  std::size_t left;
  bool training = false;
};

class TrainingRun : public test::TinyRuns {
 protected:
  TrainingRun()
      : TinyRuns(
            "{\"prompt\": \"a?\", \"options\": [\"A\", \"B\"], \"target\": [1, 0]}\n"
            "{\"prompt\": \"b?\", \"options\": [\"A\", \"B\"], \"target\": [0, 1]}") {}

  TrainingJob job(const std::string& operation, const test::Given& given) const {
    return job_of(operation, "out", given);
  }

  Result<void> run(const TrainingJob& job) const {
    const auto silent = silent_progress();
    return carry_out(written(job), *silent, {});
  }

  /// Log-probability of the learned tokens of a path, by the engine.
  double engine_logprob(const AnswerPath& path, const std::vector<AdapterSpec>& adapters) const {
    const auto model = test::open_tiny(folder_ / "tiny.gguf", test::exact_options(), adapters);
    const Prompt context{{path.tokens.begin(), path.tokens.begin() + static_cast<std::ptrdiff_t>(path.learned_from)},
                         ""};
    std::string text;
    const auto views =
        model->view({{path.tokens.begin() + static_cast<std::ptrdiff_t>(path.learned_from), path.tokens.end()}, ""});
    for (const auto& token : *views) text += token.text;
    const auto plan = test::plan_of(*model, {ScoreRequest{context, {text}, ""}});
    return test::run_all(*model, plan).scores(0).continuations[0].total();
  }
};

TEST_F(TrainingRun, TheEngineWithTheAdapterAnswersWhatWasLearned) {
  const auto store = Store::open(folder_ / "v.db").value();
  RunRecord record;
  record.key = "k";
  record.settings = record.provenance = "{}";
  auto wanted = job("choice", {{"steps", "60"}, {"learning_rate", "0.02"}});
  wanted.store = folder_ / "v.db";
  wanted.run = store->create_run(record).value();
  const auto done = run(wanted);
  ASSERT_TRUE(done) << done.error().message;
  const auto outcome = read_outcome(folder_ / "out" / "outcome.json");
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->steps, 60U);
  EXPECT_LT(outcome->after.loss, 0.2);
  EXPECT_GT(outcome->before.loss, 1.0);
  EXPECT_EQ(outcome->after.figures.at("accuracy"), 1.0);
  const std::vector<AdapterSpec> adapter{{outcome->adapter.string(), 1.0}};
  const auto &right = examples_[0].paths[0], &wrong = examples_[0].paths[1];
  EXPECT_GT(engine_logprob(right, adapter), -0.3);
  EXPECT_LT(engine_logprob(right, {}), -1.0);
  EXPECT_LT(engine_logprob(wrong, adapter), engine_logprob(right, adapter) - 1.0);
  EXPECT_EQ(store->training_steps(wanted.run)->size(), 60U);
  EXPECT_EQ(outcome->adapter_sha256, sha256(content_of(outcome->adapter)).hex());
}

TEST_F(TrainingRun, TwoRunsOfOneJobGiveTheSameAdapter) {
  auto first = job("choice", {{"steps", "10"}, {"dropout", "0.1"}}), second = first;
  second.output = folder_ / "again";
  ASSERT_TRUE(run(first));
  ASSERT_TRUE(run(second));
  EXPECT_EQ(content_of(folder_ / "out" / "adapter.gguf"), content_of(folder_ / "again" / "adapter.gguf"));
}

TEST_F(TrainingRun, ProductsStayInWhatWasChosenForThisJobFirst) {
  const auto wanted = job("choice", {{"steps", "60"}, {"learning_rate", "0.02"}, {"products", "auto"}});
  const auto choice = wanted.output / "products.json";
  for (const std::string products : {"bf16", "f32"}) {
    put_file(choice, fmt::format(R"({{"job": "{}", "products": "{}"}})", wanted.digest().hex(), products));
    std::filesystem::remove(wanted.output / "checkpoint.bin");
    ASSERT_TRUE(run(wanted));
    const auto outcome = read_outcome(wanted.output / "outcome.json").value();
    EXPECT_NE(outcome.machine.find("computing in " + products), std::string::npos) << outcome.machine;
    EXPECT_LT(outcome.after.loss, 0.2) << products;
  }
  put_file(choice, R"({"job": "another", "products": "bf16"})");
  ASSERT_TRUE(run(wanted));
  EXPECT_NE(content_of(choice).find(wanted.digest().hex()), std::string::npos);
}

TEST_F(TrainingRun, ARewardModelKeepsItsHeadInAFileOfItsOwn) {
  const auto done = run(job("reward", {{"steps", "60"}, {"learning_rate", "0.01"}, {"centring", "0"}}));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "head.safetensors"));
  EXPECT_NO_FATAL_FAILURE(test::open_tiny(folder_ / "tiny.gguf", test::exact_options(),
                                          {{(folder_ / "out" / "adapter.gguf").string(), 1.0}}));
}

TEST_F(TrainingRun, ARewardModelRatesAnswersByItsAdapterAndHead) {
  auto learned = job("reward", {{"steps", "60"}, {"learning_rate", "0.01"}, {"centring", "0"}});
  ASSERT_TRUE(run(learned));
  put_file(folder_ / "out" / "job.json", to_text(learned));
  auto rating = learned;
  rating.start = folder_ / "out" / "checkpoint.bin";
  rating.start_sha256 = *sha256_file(rating.start);
  rating.output = folder_ / "rated";
  put_file(folder_ / "rated" / "job.json", to_text(rating));
  const auto silent = silent_progress();
  const auto done = rate(folder_ / "rated" / "job.json", *silent, {});
  ASSERT_TRUE(done) << done.error().message;
  const auto read = parse_json(content_of(folder_ / "rated" / "rewards.json"), "rewards.json").value();
  EXPECT_EQ(read["job"], rating.digest().hex());
  ASSERT_EQ(read["rewards"].size(), examples_.size());
  for (const auto& rewards : read["rewards"]) EXPECT_GT(rewards[0].get<double>(), rewards[1].get<double>() + .1);

  put_file(folder_ / "job.json", to_text(learned));
  EXPECT_EQ(rate(folder_ / "job.json", *silent, {}).error().message,
            fmt::format("{}: rating takes a job of the operation reward that starts from a checkpoint",
                        (folder_ / "job.json").string()));
}

TEST_F(TrainingRun, ARewardModelOfTwoTrainingsOrOfAnUnfinishedOneRatesNothing) {
  const auto learned = job("reward", {{"steps", "2"}});
  ASSERT_TRUE(run(learned));
  const auto own = folder_ / "out";
  auto rating = learned, other = learned;
  rating.start = own / "checkpoint.bin";
  rating.start_sha256 = *sha256_file(rating.start);
  rating.output = folder_ / "rated";
  other.seed = 9;
  put_file(folder_ / "rated" / "job.json", to_text(rating));
  const auto silent = silent_progress();
  const auto refused = [&] {
    const auto done = rate(folder_ / "rated" / "job.json", *silent, {});
    return done ? Error{ErrorCode::kStopped, "it rated"} : done.error();
  };
  EXPECT_THAT(refused().message, ::testing::StartsWith(fmt::format(
                                     "reward model {}: job.json should lie beside its checkpoint: ", own.string())));

  put_file(own / "job.json", to_text(other));
  EXPECT_EQ(refused().code, ErrorCode::kMismatch);
  EXPECT_EQ(
      refused().message,
      fmt::format("reward model {}: checkpoint.bin and job.json are of two trainings, of which the later one began "
                  "in the folder of the earlier; train the reward model anew in a folder of its own (valence align "
                  "reward --out)",
                  own.string()));

  put_file(own / "job.json", to_text(learned));
  put_file(own / "adapter.gguf", "of another training");
  EXPECT_THAT(refused().message, ::testing::HasSubstr("checkpoint.bin and outcome.json are of two trainings"));

  std::filesystem::remove(own / "outcome.json");
  EXPECT_EQ(refused().code, ErrorCode::kUsage);
  EXPECT_EQ(
      refused().message,
      fmt::format("reward model {}: its training was not finished (there is no outcome.json); run the command that "
                  "began it again",
                  own.string()));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "rated" / "rewards.json"));
}

TEST_F(TrainingRun, OfSeveralProcessesTheFirstAloneExportsAndRates) {
  const testing::Environment count("WORLD_SIZE", "2"), together("LOCAL_WORLD_SIZE", "2");
  const auto silent = silent_progress();
  const auto none = folder_ / "none.json";
  {
    const testing::Environment second("RANK", "1");
    EXPECT_TRUE(export_trained(none, "f16", folder_ / "x"));
    EXPECT_TRUE(rate(none, *silent, {}));
  }
  const testing::Environment first("RANK", "0");
  EXPECT_EQ(export_trained(none, "f16", folder_ / "x").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(rate(none, *silent, {}).error().code, ErrorCode::kNotFound);
}

/// Rounds of answers that the engine draws with the adapter so far, and a training job on each.
class PolicyRounds : public TrainingRun {
 protected:
  static constexpr std::size_t kPrompts = 3, kSamples = 12;

  /// The reward of an answer: the share of tokens in the lower half of the alphabet.
  static double worth(const Completion& drawn) {
    const auto low = std::ranges::count_if(drawn.tokens, [](TokenId token) { return token < 128; });
    return static_cast<double>(low) / static_cast<double>(drawn.tokens.size());
  }

  std::vector<TrainingExample> draw(std::size_t round, const std::vector<AdapterSpec>& adapters) const {
    const auto model = test::open_tiny(folder_ / "tiny.gguf", test::exact_options(), adapters);
    std::vector<Request> requests;
    for (std::size_t prompt = 0; prompt < kPrompts; ++prompt) {
      for (std::size_t k = 0; k < kSamples; ++k) {
        Sampling sampling;
        sampling.max_tokens = 8;
        sampling.seed = 1000 * round + kSamples * prompt + k;
        requests.push_back(GenerateRequest{test::random_prompt(prompt, 6), sampling, {}});
      }
    }
    const auto plan = test::plan_of(*model, requests);
    const auto drawn = test::run_all(*model, plan);
    std::vector<TrainingExample> examples(kPrompts);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto& answer = drawn.completion(i);
      AnswerPath path{test::random_prompt(i / kSamples, 6).tokens, 6, 0, worth(answer)};
      path.tokens.insert(path.tokens.end(), answer.tokens.begin(), answer.tokens.end());
      path.sampler_logprobs = answer.logprobs;
      path.ended = answer.finish == FinishReason::kEndOfTurn;
      examples[i / kSamples].id = fmt::format("prompt {}", i / kSamples);
      examples[i / kSamples].paths.push_back(std::move(path));
    }
    return examples;
  }

  static double mean_worth(const std::vector<TrainingExample>& examples) {
    double sum = 0;
    for (const auto& example : examples) {
      for (const auto& path : example.paths) sum += path.value;
    }
    return sum / static_cast<double>(kPrompts * kSamples);
  }

  TrainingJob round(const std::string& operation, std::size_t number, const std::filesystem::path& folder) {
    auto next = job(operation, {{"learning_rate", "0.05"}, {"epochs", "2"}, {"batch", "3"}, {"beta", "0"}});
    next.held_out = "";
    next.output = folder;
    if (number == 0) return next;
    next.start = folder_ / fmt::format("{}-{}", operation, number - 1) / "checkpoint.bin";
    next.start_sha256 = *sha256_file(next.start);
    return next;
  }
};

TEST_F(PolicyRounds, TheEngineDrawsMoreAndMoreOfWhatIsRewarded) {
  for (const std::string operation : {"grpo", "rloo", "ppo"}) {
    const auto store = Store::open(folder_ / (operation + ".db")).value();
    std::vector<AdapterSpec> adapters;
    std::vector<double> rewards;
    for (std::size_t number = 0; number < 8; ++number) {
      examples_ = draw(number, adapters);
      rewards.push_back(mean_worth(examples_));
      auto next = round(operation, number, folder_ / fmt::format("{}-{}", operation, number));
      RunRecord record;
      record.key = fmt::format("round {}", number);
      record.settings = record.provenance = "{}";
      next.store = folder_ / (operation + ".db");
      next.run = store->create_run(record).value();
      const auto done = run(next);
      ASSERT_TRUE(done) << done.error().message;
      adapters = {{(next.output / "adapter.gguf").string(), 1.0}};
      const auto row = store->training_steps(next.run)->front();
      EXPECT_EQ(row.step, static_cast<std::int64_t>(2 * number + 1));
      EXPECT_LT(row.others.at("sampler_mismatch"), 1e-3) << "F32 weights: both see the same";
      EXPECT_GT(*row.entropy, 0.0);
      EXPECT_TRUE(row.clip_fraction && row.reward && row.length && row.kl);
    }
    EXPECT_GT((rewards[5] + rewards[6] + rewards[7]) / 3, rewards.front() + .15)
        << operation << " " << ::testing::PrintToString(rewards);
    EXPECT_EQ(
        std::filesystem::exists(adapters[0].path.substr(0, adapters[0].path.rfind('/')) + "/value_head.safetensors"),
        operation == "ppo");
  }
}

TEST_F(PolicyRounds, ARoundDoneTwiceGivesTheSameAdapterAndAnotherStartAnother) {
  examples_ = draw(0, {});
  ASSERT_TRUE(run(round("ppo", 0, folder_ / "ppo-0")));
  const auto next = round("ppo", 1, folder_ / "ppo-1");
  ASSERT_TRUE(run(next));
  auto again = next, anew = next;
  again.output = folder_ / "again";
  anew.output = folder_ / "anew";
  anew.start = "";
  EXPECT_EQ(again.digest(), next.digest());
  EXPECT_NE(anew.digest(), next.digest());
  ASSERT_TRUE(run(again));
  ASSERT_TRUE(run(anew));
  EXPECT_EQ(content_of(folder_ / "again" / "adapter.gguf"), content_of(folder_ / "ppo-1" / "adapter.gguf"));
  EXPECT_NE(content_of(folder_ / "anew" / "adapter.gguf"), content_of(folder_ / "ppo-1" / "adapter.gguf"));
}

TEST_F(PolicyRounds, AStartThatIsNotTheOneOfTheJobIsRefused) {
  examples_ = draw(0, {});
  ASSERT_TRUE(run(round("grpo", 0, folder_ / "grpo-0")));
  auto next = round("grpo", 1, folder_ / "grpo-1");
  next.start_sha256 = sha256("another");
  EXPECT_EQ(run(next).error().code, ErrorCode::kMismatch);
}

TEST_F(TrainingRun, GoesOnOnTopOfAnAdapterAndIsWrittenWithIt) {
  auto first = job("choice", {{"steps", "60"}, {"learning_rate", "0.02"}});
  ASSERT_TRUE(run(first));
  auto next = job("sft", {{"steps", "5"}});
  examples_.resize(1);
  examples_[0].paths.resize(1);  // what the first one learned to answer
  put_file(next.examples, to_jsonl(examples_));
  next.examples_sha256 = *sha256_file(next.examples);
  next.output = folder_ / "next";
  const auto plain = next.digest();
  next.adapters = {{folder_ / "out" / "adapter.gguf", 1.0, *sha256_file(folder_ / "out" / "adapter.gguf")}};
  EXPECT_NE(next.digest(), plain);
  const auto done = run(next);
  ASSERT_TRUE(done) << done.error().message;
  const auto outcome = read_outcome(folder_ / "next" / "outcome.json").value();
  EXPECT_LT(outcome.before.loss, 0.3);  // it knows that already

  put_file(folder_ / "next" / "job.json", to_text(next));
  const auto merged = folder_ / "merged.gguf";
  const auto written = export_trained(folder_ / "next" / "job.json", "f32", merged);
  ASSERT_TRUE(written) << written.error().message;
  const std::vector<AdapterSpec> both{{next.adapters[0].path.string(), 1.0}, {outcome.adapter.string(), 1.0}};
  const auto with_both = engine_logprob(examples_[0].paths[0], both);
  std::filesystem::rename(merged, folder_ / "tiny.gguf");
  EXPECT_NEAR(engine_logprob(examples_[0].paths[0], {}), with_both, 1e-3);
}

TEST_F(TrainingRun, APeftFolderIsWrittenOfWhatStandsOnTheWeightsAlone) {
  auto wanted = job("choice", {{"steps", "2"}});
  ASSERT_TRUE(run(wanted));
  put_file(folder_ / "out" / "job.json", to_text(wanted));
  ASSERT_TRUE(export_trained(folder_ / "out" / "job.json", "peft", folder_ / "peft"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "peft" / "adapter_model.safetensors"));
  EXPECT_THAT(export_trained(folder_ / "out" / "job.json", "q3", folder_ / "x").error().message,
              ::testing::HasSubstr("file format \"q3\" is unknown"));

  auto other = wanted;
  other.seed = 9;
  put_file(folder_ / "out" / "job.json", to_text(other));
  EXPECT_EQ(export_trained(folder_ / "out" / "job.json", "f16", folder_ / "x").error().code, ErrorCode::kMismatch);
  other.adapters = {{folder_ / "out" / "adapter.gguf", 1.0, *sha256_file(folder_ / "out" / "adapter.gguf")}};
  put_file(folder_ / "out" / "job.json", to_text(other));
  EXPECT_THAT(export_trained(folder_ / "out" / "job.json", "peft", folder_ / "x").error().message,
              ::testing::HasSubstr("would be loaded without it"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(TrainingRun, AllWeightsAreTrainedIntoAModelOfItsOwnAndGoneOnWith) {
  auto wanted =
      job("choice", {{"tuning", "full"}, {"steps", "40"}, {"learning_rate", "0.005"}, {"checkpoint_every", "7"}});
  const auto done = run(wanted);
  ASSERT_TRUE(done) << done.error().message;
  const auto outcome = read_outcome(folder_ / "out" / "outcome.json").value();
  EXPECT_TRUE(outcome.whole);
  EXPECT_EQ(outcome.adapter, folder_ / "out" / "model.gguf");
  EXPECT_LT(outcome.after.loss, 0.2);
  const auto trained = content_of(outcome.adapter);

  wanted.output = folder_ / "stopped";
  put_file(folder_ / "job.json", to_text(wanted));
  StopAfter some(10);
  EXPECT_EQ(carry_out(folder_ / "job.json", some, {.stop = some.stop.get_token()}).error().code, ErrorCode::kStopped);
  ASSERT_TRUE(run(wanted));
  EXPECT_GE(read_outcome(folder_ / "stopped" / "outcome.json")->resumed_from, 7U);
  EXPECT_EQ(content_of(folder_ / "stopped" / "model.gguf"), trained);

  const auto right = examples_[0].paths[0];
  std::filesystem::copy_file(outcome.adapter, folder_ / "tiny.gguf", std::filesystem::copy_options::overwrite_existing);
  EXPECT_GT(engine_logprob(right, {}), -0.3);
}

TEST_F(TrainingRun, AllWeightsCannotBeWatchedForDrift) {
  const auto done = run(job("sft", {{"tuning", "full"}, {"most_kl", "1"}}));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, ::testing::HasSubstr("the weights as they were are not kept"));
  EXPECT_FALSE(Settings::resolve((*find_operation("dpo"))->settings,
                                 std::vector<std::pair<std::string, std::string>>{{"tuning", "full"}}));
}

TEST_F(TrainingRun, SettingsOfAnAdapterAreRefusedWhereThereIsNone) {
  for (const auto& given :
       {std::pair<std::string, std::string>{"rank", "4"}, {"dropout", "0.1"}, {"products", "auto"}}) {
    const auto done = run(job("sft", {{"tuning", "full"}, given}));
    ASSERT_FALSE(done) << given.first;
    EXPECT_EQ(done.error().code, ErrorCode::kUsage);
    EXPECT_THAT(done.error().message, ::testing::HasSubstr(given.first + " = " + given.second + ": of an adapter"));
  }
}

TEST_F(TrainingRun, SettingsThatWouldDoNothingAreRefused) {
  struct Case {
    std::string operation;
    std::vector<std::pair<std::string, std::string>> given;
    std::string message;
  };
  const std::vector<Case> cases{
      {"reward",
       {{"most_kl", "1"}},
       "most_kl = 1: a reward model's rewards are read and no log-probabilities, so there is no drift; leave it at 0"},
      {"dpo",
       {{"loss", "hinge"}, {"smoothing", "0.1"}},
       "smoothing = 0.1: loss = hinge knows no wrong labels; leave it at 0"},
      {"dpo",
       {{"loss", "ipo"}, {"smoothing", "0.1"}},
       "smoothing = 0.1: loss = ipo knows no wrong labels; leave it at 0"},
      {"dpo",
       {{"divergence_alpha", "2"}},
       "divergence_alpha = 2: of divergence = alpha, and another one was chosen; leave it at 1"}};
  for (const auto& wrong : cases) {
    const auto done = run(job(wrong.operation, wrong.given));
    ASSERT_FALSE(done) << wrong.message;
    EXPECT_EQ(done.error().code, ErrorCode::kUsage);
    EXPECT_EQ(done.error().message, wrong.message);
  }
}

TEST_F(TrainingRun, ACudaDeviceThatIsNotThereIsRefused) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "there is one";
  const auto done = run(job("sft", {{"trainer_device", "cuda"}}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUsage);
  EXPECT_THAT(done.error().message,
              ::testing::HasSubstr("trainer_device = cuda: the libtorch that this program was built "
                                   "with finds no CUDA device; leave it at cpu, or build"));
}

TEST_F(TrainingRun, WhatAnotherJobLeftInTheFolderIsNotWrittenOver) {
  const auto first = job("choice", {{"steps", "2"}, {"products", "auto"}});
  ASSERT_TRUE(run(first));
  const auto products = content_of(first.output / "products.json");
  EXPECT_NE(products.find(first.digest().hex()), std::string::npos);
  auto other = first;
  other.seed = 9;
  const auto done = run(other);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(done.error().message,
            fmt::format(
                "{} belongs to another job (other data, settings or weights); name another output folder or remove it",
                (first.output / "checkpoint.bin").string()));
  EXPECT_EQ(content_of(first.output / "products.json"), products);
}

TEST_F(TrainingRun, ATokenOutsideTheVocabularyIsRefusedByItsExamplesName) {
  examples_[1].paths[0].tokens.back() = 100000;
  const auto done = run(job("choice", {{"steps", "1"}}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(done.error().message, ::testing::StartsWith(fmt::format(
                                        "{}: example \"d.jsonl:2\": token 100000 is outside the model's vocabulary of ",
                                        (folder_ / "examples.jsonl").string())));
}

TEST_F(TrainingRun, AnAdapterThatWasChangedOrIsNoneIsRefused) {
  ASSERT_TRUE(run(job("choice", {{"steps", "2"}})));
  auto wanted = job("choice", {});
  wanted.output = folder_ / "on-top";
  wanted.adapters = {{folder_ / "out" / "adapter.gguf", 1.0, sha256("another")}};
  EXPECT_EQ(run(wanted).error().code, ErrorCode::kMismatch);
  wanted.adapters = {{folder_ / "tiny.gguf", 1.0, *sha256_file(folder_ / "tiny.gguf")}};
  EXPECT_THAT(run(wanted).error().message, ::testing::HasSubstr("is no LoRA adapter"));
}

TEST_F(TrainingRun, OtherWeightsThanTheJobsAreRefused) {
  auto wrong = job("choice", {});
  wrong.model_sha256 = sha256("others");
  const auto done = run(wrong);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_NE(done.error().message.find("its content is not what the job was written for"), std::string::npos);
}

TEST_F(TrainingRun, ExamplesThatWereChangedAreRefused) {
  const auto wanted = job("choice", {});
  put_file(wanted.examples, content_of(wanted.examples) + "\n");
  const auto done = run(wanted);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
}

TEST_F(TrainingRun, AnUnknownModuleIsNamed) {
  const auto done = run(job("choice", {{"modules", "attn_q,attn_x"}}));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("attn_x"), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace valence
