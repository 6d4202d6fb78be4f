#include "valence/train/job.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/scratch.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/train/operations.h"
#include "valence/train/outcome.h"

namespace valence {
namespace {

TrainingJob sample() {
  TrainingJob job;
  job.operation = "choice";
  job.settings =
      Settings::resolve((*find_operation("choice"))->settings, {{"rank", "4"}, {"learning_rate", "0.001"}}).value();
  job.model_name = "smollm2";
  job.model = "m.gguf";
  job.model_sha256 = sha256("weights");
  job.examples = "examples.jsonl";
  job.examples_sha256 = sha256("examples");
  job.output = "out";
  job.store = "valence.db";
  job.run = 7;
  job.seed = 3;
  job.threads = 2;
  return job;
}

TEST(Jobs, ComeBackAsTheyWereWritten) {
  const auto job = parse_job(to_text(sample()), "job.json");
  ASSERT_TRUE(job) << job.error().message;
  EXPECT_EQ(to_text(*job), to_text(sample()));
  EXPECT_EQ(job->digest(), sample().digest());
  EXPECT_EQ(job->settings.integer("rank"), 4);
  EXPECT_EQ(job->run, 7);
}

TEST(Jobs, TheDigestFollowsWhatCanChangeTheAdapterAndNothingElse) {
  const auto digest = sample().digest();
  auto moved = sample();
  moved.output = "elsewhere";
  moved.run = 8;
  moved.store = "";
  EXPECT_EQ(moved.digest(), digest);
  auto seeded = sample();
  seeded.seed = 4;
  EXPECT_NE(seeded.digest(), digest);
  auto data = sample();
  data.examples_sha256 = sha256("others");
  EXPECT_NE(data.digest(), digest);
  auto begun = sample();
  begun.start = "round-1/checkpoint.bin";
  begun.start_sha256 = sha256("state");
  EXPECT_NE(begun.digest(), digest);
  auto elsewhere = begun;
  elsewhere.start = "moved/checkpoint.bin";
  EXPECT_EQ(elsewhere.digest(), begun.digest());
  EXPECT_EQ(to_text(*parse_job(to_text(begun), "job.json")), to_text(begun));
  auto threads = sample();
  threads.threads = 1;
  EXPECT_NE(threads.digest(), digest);
}

TEST(Jobs, ASettingThatCameLaterLeavesTheDigestOfOlderJobsAlone) {
  SettingTable older = (*find_operation("choice"))->settings;
  std::erase_if(older, [](const SettingSpec& spec) { return spec.name == "trainer_device"; });
  const std::vector<std::pair<std::string, std::string>> given{{"rank", "4"}, {"learning_rate", "0.001"}};
  auto before = sample();
  before.settings = Settings::resolve(older, given).value();
  ASSERT_LT(before.settings.values().size(), sample().settings.values().size());
  EXPECT_EQ(before.digest(), sample().digest());
  auto elsewhere = sample();
  elsewhere.settings =
      Settings::resolve((*find_operation("choice"))->settings, {given[0], given[1], {"trainer_device", "cuda"}})
          .value();
  EXPECT_NE(elsewhere.digest(), sample().digest());
}

TEST(Jobs, ErrorsNameFileLineAndKey) {
  const auto text = to_text(sample());
  const std::vector<std::pair<std::string, std::string>> cases{
      {replace_all(text, "\"rank\": 4", "\"rank\": 0"), "setting \"rank\" should be"},
      {replace_all(text, "\"rank\"", "\"ranc\""), "unknown setting \"ranc\"; did you mean \"rank\"?"},
      {replace_all(text, "\"operation\": \"choice\"", "\"operation\": \"choise\""),
       "unknown operation \"choise\", did you mean \"choice\"?"},
      {replace_all(text, "\"valence_job\": 1", "\"valence_job\": 2"), "is version 2, this program knows 1"},
      {replace_all(text, "\"products\": \"f32\"", "\"products\": \"f8\""), "f8"}};
  for (const auto& [wrong, expected] : cases) {
    const auto job = parse_job(wrong, "job.json");
    ASSERT_FALSE(job) << expected;
    EXPECT_NE(job.error().message.find(expected), std::string::npos) << job.error().message;
  }
}

TEST(Operations, HaveDistinctSettingsThatResolve) {
  for (const auto& operation : operations()) {
    const auto settings = Settings::resolve(operation.settings, std::vector<std::pair<std::string, std::string>>{});
    ASSERT_TRUE(settings) << operation.id << ": " << settings.error().message;
    for (std::size_t i = 0; i < operation.settings.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j)
        EXPECT_NE(operation.settings[i].name, operation.settings[j].name) << operation.id;
    }
  }
}

TEST(Outcomes, ComeBackAsTheyWereWritten) {
  const testing::Scratch scratch;
  TrainingOutcome outcome;
  outcome.adapter = "out/adapter.gguf";
  outcome.adapter_sha256 = "ab";
  outcome.steps = 100;
  outcome.tokens = 5000;
  outcome.seconds = 12.5;
  outcome.machine = "61 GFLOP/s";
  outcome.has_held_out = true;
  outcome.before = {.693, {{"accuracy", .5}}};
  outcome.after = {.25, {{"accuracy", .9}}, {1.5, -0.25}};
  ASSERT_TRUE(write_file(scratch / "outcome.json", to_text(outcome)));
  const auto read = read_outcome(scratch / "outcome.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_text(*read), to_text(outcome));
  EXPECT_EQ(read->after.margins, (std::vector<double>{1.5, -0.25}));
  EXPECT_TRUE(read->before.margins.empty());
}

TEST(Outcomes, FiguresThatAreNoNumbersComeBackAsSuch) {
  const testing::Scratch scratch;
  const double none = std::numeric_limits<double>::quiet_NaN();
  TrainingOutcome outcome;
  outcome.has_held_out = true;
  outcome.before = {none, {{"accuracy", none}, {"margin", .5}}, {1.5, none}};
  outcome.after = {.25, {{"accuracy", .9}}};
  ASSERT_TRUE(write_file(scratch / "outcome.json", to_text(outcome)));
  const auto read = read_outcome(scratch / "outcome.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(std::isnan(read->before.loss));
  EXPECT_TRUE(std::isnan(read->before.figures.at("accuracy")));
  EXPECT_EQ(read->before.figures.at("margin"), .5);
  ASSERT_EQ(read->before.margins.size(), 2U);
  EXPECT_EQ(read->before.margins[0], 1.5);
  EXPECT_TRUE(std::isnan(read->before.margins[1]));
  EXPECT_EQ(to_text(*read), to_text(outcome));
}

}  // namespace
}  // namespace valence
