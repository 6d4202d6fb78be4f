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
            {{"one", {{{1, 2}, 1, 0, 1.0}}}},
            {},
            scratch_ / "out",
            5,
            1,
            "f32",
            "talk.jsonl"};
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
