// valence evaluator train, test and apply, as a person runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "labelled_lines.h"
#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

class EvaluatorProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    put_file(scratch_ / "train.jsonl", labelled_lines(0, 40));
    put_file(scratch_ / "more.jsonl", labelled_lines(30, 40));
  }
  Outcome run(const std::vector<std::string>& arguments) { return testing::run(scratch_.path(), arguments); }
  Outcome train() {
    return run({"evaluator", "train", "train.jsonl", "--folds", "0", "--l2", "0.1", "--out", "e.evaluator"});
  }
  Scratch scratch_;
};

TEST_F(EvaluatorProgram, TrainsTestsAndApplies) {
  const auto trained = train();
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("40 labelled responses; 0 labels could not be read"));

  const auto tested = run({"evaluator", "test", "e.evaluator", "more.jsonl", "--json"});
  ASSERT_EQ(tested.status, 0) << tested.err;
  const auto quality = nlohmann::json::parse(tested.out);
  EXPECT_EQ(quality["left_out_as_seen"], 10);
  EXPECT_EQ(quality["quality"]["responses"], 30);
  EXPECT_EQ(quality["quality"]["figures"][0]["estimate"]["value"], 1.0);

  const auto applied = run(
      {"evaluator", "apply", "e.evaluator", "--text", "Follow the rules. The sky is blue.", "--evidence", "--json"});
  ASSERT_EQ(applied.status, 0) << applied.err;
  const auto text = nlohmann::json::parse(applied.out)["texts"][0];
  EXPECT_GT(text["values"]["conformity"]["value"], 0.5);
  EXPECT_EQ(text["evidence"][0]["text"], "Follow the rules. ");
  EXPECT_GT(text["evidence"][0]["contribution"]["conformity"], text["evidence"][1]["contribution"]["conformity"]);
}

TEST_F(EvaluatorProgram, DrawsWhatWasPromisedAndWhatHappened) {
  ASSERT_EQ(train().status, 0);
  const auto tested = run({"evaluator", "test", "e.evaluator", "more.jsonl", "--picture", "held.svg"});
  ASSERT_EQ(tested.status, 0) << tested.err;
  EXPECT_THAT(tested.out, HasSubstr("picture: held.svg"));
  EXPECT_THAT(content_of(scratch_ / "held.svg"), HasSubstr("<title id=\"reliability-1-title\">Calibration of "));
  const auto trained = run({"evaluator", "train", "train.jsonl", "--l2", "0.1", "--folds", "4", "--picture", "folds.svg"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "folds.svg"));
  const auto nothing = run({"evaluator", "train", "train.jsonl", "--folds", "0", "--picture", "no.svg"});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.err, HasSubstr("--picture draws what cross-validation finds"));
}

TEST_F(EvaluatorProgram, RemembersHowItReadsRespondersThatItNeverSaw) {
  const auto trained = train();
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("transport: read 2 responders that were left out in turn"));
  const auto json =
      run({"evaluator", "train", "train.jsonl", "--folds", "0", "--l2", "0.1", "--out", "e.evaluator", "--json"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["evaluator"]["unseen_responders"], 2);
}

TEST_F(EvaluatorProgram, SaysSoWhenNobodyCouldBeLeftOut) {
  auto lines = labelled_lines(0, 40);
  for (auto at = lines.find("\"b\""); at != std::string::npos; at = lines.find("\"b\"")) lines.replace(at, 3, "\"a\"");
  put_file(scratch_ / "one.jsonl", lines);
  const auto trained =
      run({"evaluator", "train", "one.jsonl", "--folds", "0", "--l2", "0.1", "--out", "one.evaluator"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("transport: not looked at, since the labels name fewer than two responders"));
}

TEST_F(EvaluatorProgram, TrainsByARecipeOfAFile) {
  put_file(scratch_ / "both.toml",
           "title = \"two\"\n[[part]]\nfeatures = [\"tfidf\"]\nhead = \"logistic\"\nl2 = [0.1]\n"
           "[[part]]\nfeatures = [\"tfidf_response\"]\nhead = \"ridge\"\nl2 = [0.1]\n");
  const auto trained = run(
      {"evaluator", "train", "train.jsonl", "--recipe", "both.toml", "--folds", "0", "--out", "e.evaluator", "--json"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const auto parts = nlohmann::json::parse(trained.out)["evaluator"]["parts"];
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[1]["head"], "ridge");
  EXPECT_EQ(run({"evaluator", "apply", "e.evaluator", "--text", "Follow the rules."}).status, 0);
  EXPECT_EQ(run({"evaluator", "train", "train.jsonl", "--recipe", "both.toml", "--head", "mlp"}).status, 2);
}

TEST_F(EvaluatorProgram, ListsTheRecipesThatComeWithIt) {
  const auto outcome = run({"evaluator", "recipes", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\"words\""));
}

TEST_F(EvaluatorProgram, CrossValidationShowsTrivialRows) {
  const auto outcome =
      run({"evaluator", "train", "train.jsonl", "--folds", "2", "--l2", "1", "--replicates", "100", "--baseline"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("majority per dimension"));
  EXPECT_THAT(outcome.out, HasSubstr("always upheld"));
  EXPECT_THAT(outcome.out, HasSubstr("paired by prompt"));
}

TEST_F(EvaluatorProgram, TestingOnTrainingRowsIsRefused) {
  train();
  const auto outcome = run({"evaluator", "test", "e.evaluator", "train.jsonl"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            "valence: train.jsonl: the evaluator was fitted on every response of this file; test it on others, or "
            "cross-validate "
            "with valence evaluator train\n");
}

TEST_F(EvaluatorProgram, BadInputIsNamed) {
  EXPECT_EQ(run({"evaluator", "train", "train.jsonl", "--features", "tfdif"}).err,
            "valence: no features are called \"tfdif\"; did you mean \"tfidf\"?\n");
  EXPECT_EQ(run({"evaluator", "train", "train.jsonl", "--head", "svm"}).err,
            "valence: unknown head \"svm\"; it should be one of ridge, logistic, ordinal, mlp\n");
  train();
  EXPECT_EQ(run({"evaluator", "apply", "e.evaluator"}).err,
            "valence: say what to read: --text, or --input with a file (valence evaluator apply --help)\n");
  put_file(scratch_ / "broken", "nothing");
  EXPECT_EQ(run({"evaluator", "apply", "broken", "--text", "x"}).err,
            "valence: broken: this is no evaluator; make one with valence evaluator train\n");
}

}  // namespace
}  // namespace valence::testing
