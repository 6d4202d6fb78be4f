// A training run seen from the command line's side, with a shell script in the trainer's place.
#include "valence/align/training.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "support/scratch.h"
#include "valence/base/files.h"
#include "valence/train/job.h"

namespace valence {
namespace {

using testing::content_of;
using testing::Scratch;

class TrainingRuns : public ::testing::Test {
 protected:
  ~TrainingRuns() override { ::unsetenv("VALENCE_TRAIN"); }

  void trainer(const std::string& script) {
    const auto path = scratch_ / "trainer";
    testing::put_file(path, "#!/bin/sh\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    ::setenv("VALENCE_TRAIN", path.c_str(), 1);
  }

  TrainingRequest request() const {
    const auto& operation = **find_operation("sft");
    const auto settings =
        Settings::resolve(operation.settings, std::vector<std::pair<std::string, std::string>>{}).value();
    return {operation,
            settings,
            {"tiny", scratch_ / "tiny.gguf", sha256("w"), 1, "", ""},
            {},
            {{"one", {{{1, 2}, 1, 0, 1.0}}}},
            {},
            scratch_ / "out",
            5,
            1,
            "talk.jsonl"};
  }

  /// A folder as `valence align reward` leaves it, and the job in it.
  TrainingJob read_job_of_reward_model() const {
    const auto& operation = **find_operation("reward");
    TrainingJob job;
    job.operation = operation.id;
    job.settings = Settings::resolve(operation.settings, std::vector<std::pair<std::string, std::string>>{}).value();
    job.model = scratch_ / "tiny.gguf";
    job.examples = scratch_ / "reward" / "examples.jsonl";
    job.output = scratch_ / "reward";
    testing::put_file(scratch_ / "reward" / "job.json", to_text(job));
    testing::put_file(scratch_ / "reward" / "checkpoint.bin", "state");
    return job;
  }

  std::string outcome() const {
    TrainingOutcome it;
    it.adapter = scratch_ / "out" / "adapter.gguf";
    it.adapter_sha256 = "ab";
    it.steps = 3;
    testing::put_file(scratch_ / "ready.json", to_text(it));
    return fmt::format("cp '{}' '{}'\n", (scratch_ / "ready.json").string(),
                       (scratch_ / "out" / "outcome.json").string());
  }

  Scratch scratch_;
  std::unique_ptr<Store> store_ = Store::open(scratch_ / "v.db").value();
};

TEST_F(TrainingRuns, WriteTheJobAndFileTheAdapter) {
  trainer(outcome());
  const auto run = run_training(request(), *store_, {});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->outcome.steps, 3U);
  const auto job = read_job(scratch_ / "out" / "job.json");
  ASSERT_TRUE(job) << job.error().message;
  EXPECT_EQ(job->operation, "sft");
  EXPECT_EQ(job->seed, 5U);
  EXPECT_EQ(job->run, run->run);
  EXPECT_EQ(job->examples_sha256, sha256(content_of(job->examples)));
  EXPECT_EQ(store_->artefacts(run->run)->at(0).path, (scratch_ / "out" / "adapter.gguf").string());
  EXPECT_EQ(store_->run(run->run)->state, RunState::kFinished);
  EXPECT_EQ(store_->run(run->run)->instrument, "align/sft");
}

TEST_F(TrainingRuns, GoOnFromAnEarlierOnesCheckpoint) {
  trainer(outcome());
  testing::put_file(scratch_ / "before" / "checkpoint.bin", "state");
  auto next = request();
  next.start = scratch_ / "before";
  ASSERT_TRUE(run_training(next, *store_, {}));
  const auto job = read_job(scratch_ / "out" / "job.json").value();
  EXPECT_EQ(job.start, scratch_ / "before" / "checkpoint.bin");
  EXPECT_EQ(job.start_sha256, sha256("state"));
}

TEST_F(TrainingRuns, ThatWereFinishedAreGivenBackAsLongAsTheirAdapterIsThere) {
  TrainingOutcome it;
  it.adapter = scratch_ / "out" / "adapter.gguf";
  it.adapter_sha256 = sha256("weights").hex();
  testing::put_file(scratch_ / "ready.json", to_text(it));
  const auto script =
      fmt::format("printf weights > '{0}/adapter.gguf'\ncp '{1}' '{0}/outcome.json'\necho >> '{2}'\n",
                  (scratch_ / "out").string(), (scratch_ / "ready.json").string(), (scratch_ / "times").string());
  trainer(script);
  const auto first = run_training(request(), *store_, {}).value();
  EXPECT_EQ(run_training(request(), *store_, {})->run, first.run);
  EXPECT_EQ(content_of(scratch_ / "times"), "\n");
  testing::put_file(it.adapter, "damaged");
  ASSERT_TRUE(run_training(request(), *store_, {}));
  EXPECT_EQ(content_of(scratch_ / "times"), "\n\n");
}

TEST_F(TrainingRuns, AnswersAreRatedOnceByTheRewardModelOfAFolder) {
  auto learned = read_job_of_reward_model();
  const std::vector<TrainingExample> answers{{"one", {{{1, 2}, 1, 0, 1.0}, {{1, 3}, 1, 0, 1.0}}}};
  trainer(
      fmt::format("echo \"$2\" >> '{0}'\njob=$(dirname \"$1\")\n"
                  "digest=$(cat '{1}')\necho \"{{\\\"job\\\": \\\"$digest\\\", \\\"rewards\\\": [[0.5, -0.5]]}}\" "
                  "> \"$job/rewards.json\"\n",
                  (scratch_ / "times").string(), (scratch_ / "digest").string()));
  learned.start = scratch_ / "reward" / "checkpoint.bin";
  learned.start_sha256 = sha256("state");
  learned.examples_sha256 = sha256(to_jsonl(answers));
  testing::put_file(scratch_ / "digest", learned.digest().hex());
  for (int time = 0; time < 2; ++time) {
    const auto rated = rate_answers(scratch_ / "reward", answers, scratch_ / "ratings", {});
    ASSERT_TRUE(rated) << rated.error().message;
    EXPECT_EQ(*rated, (std::vector<std::vector<double>>{{0.5, -0.5}}));
  }
  EXPECT_EQ(content_of(scratch_ / "times"), "--rate\n");
}

TEST_F(TrainingRuns, OfAnotherJobAreNotWrittenOver) {
  trainer(outcome());
  ASSERT_TRUE(run_training(request(), *store_, {}));
  testing::put_file(scratch_ / "out" / "checkpoint.bin", "state");
  const auto job = content_of(scratch_ / "out" / "job.json"), examples = content_of(scratch_ / "out" / "examples.jsonl");
  auto other = request();
  other.examples.front().paths.front().tokens = {1, 3};
  const auto run = run_training(other, *store_, {});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kUsage);
  EXPECT_EQ(run.error().message,
            fmt::format("{} holds another training (of other data, settings or weights); name another --out, or remove it",
                        (scratch_ / "out").string()));
  EXPECT_EQ(content_of(scratch_ / "out" / "job.json"), job);
  EXPECT_EQ(content_of(scratch_ / "out" / "examples.jsonl"), examples);
}

TEST_F(TrainingRuns, AFailedRunIsGoneOnWithUnderItsNumber) {
  trainer("exit 1\n");
  const auto failed = run_training(request(), *store_, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kModel);
  EXPECT_EQ(failed.error().message, fmt::format("the training run 1 ended before its time; what there is lies in {}",
                                                (scratch_ / "out").string()));
  EXPECT_EQ(store_->run(1)->state, RunState::kFailed);
  trainer(outcome());
  EXPECT_EQ(run_training(request(), *store_, {})->run, 1);
}

TEST_F(TrainingRuns, WhatTheUserWroteWrongStaysAUsageError) {
  trainer("exit 2\n");
  EXPECT_EQ(run_training(request(), *store_, {}).error().code, ErrorCode::kUsage);
}

TEST_F(TrainingRuns, StoppingEndsTheTrainerAndIsNoFailure) {
  trainer("sleep 30\n");
  std::stop_source source;
  source.request_stop();
  const auto stopped = run_training(request(), *store_, {source.get_token(), true});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kStopped);
  EXPECT_EQ(store_->run(1)->state, RunState::kStopped);
}

TEST_F(TrainingRuns, WithoutATrainerItSaysHowToGetOne) {
  ::unsetenv("VALENCE_TRAIN");
  const auto found = find_trainer();
  if (found) GTEST_SKIP() << "there is a trainer beside this test";
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_NE(found.error().message.find("VALENCE_TRAINING=ON"), std::string::npos);
}

}  // namespace
}  // namespace valence
