// What is settled before the first step of a run on a tiny random model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <stop_token>
#include <variant>

#include "tiny_runs.h"
#include "valence/base/files.h"
#include "valence/model/gguf.h"
#include "valence/train/carry_out.h"
#include "valence/train/outcome.h"

namespace valence {
namespace {

class RunStart : public test::TinyRuns {
 protected:
  RunStart()
      : TinyRuns("{\"prompt\": \"a?\", \"completion\": \"yes\"}\n{\"prompt\": \"b?\", \"completion\": \"no\"}\n") {}

  Result<void> run(const TrainingJob& job, const CarryOutOptions& options = {}) const {
    const auto silent = silent_progress();
    return carry_out(written(job), *silent, options);
  }
};

TEST_F(RunStart, TheOutcomeSaysHowFarTrainerAndEngineAreApart) {
  ASSERT_TRUE(run(job_of("sft", "out", {{"steps", "1"}})));
  const auto outcome = read_outcome(folder_ / "out" / "outcome.json").value();
  double mean = 0, largest = 0;
  std::size_t tokens = 0;
  ASSERT_EQ(std::sscanf(outcome.parity.c_str(),
                        "trainer and engine differ by %lf nats per token on average, %lf at most (%zu tokens)", &mean,
                        &largest, &tokens),
            3)
      << outcome.parity;
  // Every token of the two answers' paths is predicted but the first.
  EXPECT_EQ(tokens, examples_[0].paths[0].tokens.size() + examples_[1].paths[0].tokens.size() - 2);
  EXPECT_GT(mean, 0) << "two programs do not round alike";
  EXPECT_GE(largest, mean);
  EXPECT_LT(largest, 1e-3) << "F32 weights";
}

TEST_F(RunStart, NothingIsTrainedWhereTheyAreFurtherApartThanTolerated) {
  const auto wanted = job_of("sft", "out", {{"steps", "1"}});
  const auto done = run(wanted, {.tolerance = 0.0});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(done.error().message,
              ::testing::AllOf(::testing::StartsWith(wanted.model.string() + ": trainer and engine differ by "),
                               ::testing::HasSubstr("; 0 nats are tolerated. ")));
  EXPECT_FALSE(std::filesystem::exists(wanted.output));
}

TEST_F(RunStart, TwoDoNotWorkInOneFolderAtOnce) {
  const auto wanted = job_of("sft", "out", {{"steps", "1"}});
  auto held = FileLock::try_acquire(wanted.output / "lock", 0).value();
  std::stop_source impatient;
  impatient.request_stop();
  const auto done = run(wanted, {.stop = impatient.get_token()});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kStopped);
  EXPECT_THAT(done.error().message, ::testing::HasSubstr("waited for another training in " + wanted.output.string()));
  held.reset();
  EXPECT_TRUE(run(wanted));
}

TEST_F(RunStart, ARankStabilisedAdapterOnSomeModulesIsWrittenAsTheJobSays) {
  ASSERT_TRUE(run(job_of(
      "sft", "out",
      {{"steps", "1"}, {"rank", "4"}, {"alpha", "8"}, {"rank_stabilised", "true"}, {"modules", "attn_q,ffn_down"}})));
  const auto head = read_gguf_header(folder_ / "out" / "adapter.gguf").value();
  // The scale is 8 / √4 = 4; llama.cpp divides what the file says by the rank, so that it says 4 · 4.
  EXPECT_EQ(std::get<double>(head.metadata.at("adapter.lora.alpha")), 16.0);
  std::vector<std::string> names;
  for (const auto& tensor : head.tensors) names.push_back(tensor.name);
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b",
                                                     "blk.0.ffn_down.weight.lora_a", "blk.0.ffn_down.weight.lora_b",
                                                     "blk.1.attn_q.weight.lora_a", "blk.1.attn_q.weight.lora_b",
                                                     "blk.1.ffn_down.weight.lora_a", "blk.1.ffn_down.weight.lora_b"));
}

TEST_F(RunStart, AnAdapterForAnotherArchitectureIsRefused) {
  const auto path = folder_ / "llama.gguf";
  test::write_tiny_adapter("llama", path);
  auto wanted = job_of("sft", "out", {{"steps", "1"}});
  wanted.adapters = {{path, 1.0, *sha256_file(path)}};
  const auto done = run(wanted);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(done.error().message,
            path.string() + ": is an adapter for the architecture \"llama\", the model is \"qwen2\"");
}

}  // namespace
}  // namespace valence
