// A whole training run on a tiny random model: what the trainer learned is measured by the engine.
#include "valence/train/carry_out.h"

#include <gtest/gtest.h>

#include "model/llama_tiny.h"
#include "support/scratch.h"
#include "valence/base/files.h"
#include "valence/store/store.h"
#include "valence/train/example.h"
#include "valence/train/job.h"
#include "valence/train/operations.h"
#include "valence/train/outcome.h"

namespace valence {
namespace {

using testing::content_of;
using testing::put_file;

class TrainingRun : public ::testing::Test {
 protected:
  TrainingRun() {
    test::write_tiny({}, folder_ / "tiny.gguf");
    const auto model = test::open_tiny(folder_ / "tiny.gguf");
    const auto records = parse_training_data(
        "{\"prompt\": \"a?\", \"options\": [\"A\", \"B\"], \"target\": [1, 0]}\n"
        "{\"prompt\": \"b?\", \"options\": [\"A\", \"B\"], \"target\": [0, 1]}",
        "d.jsonl");
    examples_ = render_data(*model, *records, {}, 1000)->examples;
  }

  TrainingJob job(const std::string& operation, std::vector<std::pair<std::string, std::string>> given) const {
    TrainingJob job;
    job.operation = operation;
    job.settings = Settings::resolve((*find_operation(operation))->settings, given).value();
    job.model_name = "tiny";
    job.model = folder_ / "tiny.gguf";
    job.model_sha256 = *sha256_file(job.model);
    job.examples = folder_ / "examples.jsonl";
    put_file(job.examples, to_jsonl(examples_));
    job.examples_sha256 = *sha256_file(job.examples);
    job.held_out = job.examples;
    job.output = folder_ / "out";
    job.seed = 1;
    job.threads = 1;
    return job;
  }

  Result<void> run(const TrainingJob& job) const {
    put_file(folder_ / "job.json", to_text(job));
    const auto silent = silent_progress();
    return carry_out(folder_ / "job.json", *silent, {});
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

  test::ScratchFolder folder_;
  std::vector<TrainingExample> examples_;
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

TEST_F(TrainingRun, ARewardModelKeepsItsHeadInAFileOfItsOwn) {
  const auto done = run(job("reward", {{"steps", "60"}, {"learning_rate", "0.01"}, {"centring", "0"}}));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "head.safetensors"));
  EXPECT_NO_FATAL_FAILURE(test::open_tiny(folder_ / "tiny.gguf", test::exact_options(),
                                          {{(folder_ / "out" / "adapter.gguf").string(), 1.0}}));
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
