// valence align, as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

class Align : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& arguments) { return testing::run(scratch_.path(), arguments); }
  Scratch scratch_;
};

TEST_F(Align, ListsItsOperations) {
  const auto outcome = run({"align", "list"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("dpo"));
  EXPECT_THAT(outcome.out, HasSubstr("conversation"));
}

TEST_F(Align, ABadLineIsNamedBeforeAnythingIsOpened) {
  put_file(scratch_ / "d.jsonl",
           "{\"prompt\": \"Q?\", \"chosen\": \"a\", \"rejected\": \"b\"}\n{\"prompt\": \"Q?\", \"chosen\": \"a\"}\n");
  const auto outcome = run({"align", "preview", "--data", "d.jsonl", "--model", "scripted:random"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("d.jsonl:2:"));
  EXPECT_THAT(outcome.err, HasSubstr("\"rejected\""));
}

TEST_F(Align, AScriptedSubjectHasNoWeightsToMove) {
  put_file(scratch_ / "d.jsonl", "{\"prompt\": \"Q?\", \"completion\": \"a\"}\n");
  const auto outcome = run({"align", "sft", "--data", "d.jsonl", "--model", "scripted:random"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "out"));
}

TEST_F(Align, ASettingOutOfRangeNamesItAndTheRange) {
  put_file(scratch_ / "d.jsonl", "{\"prompt\": \"Q?\", \"completion\": \"a\"}\n");
  const auto outcome = run({"align", "sft", "--data", "d.jsonl", "--model", "smollm2", "--rank", "0"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("\"rank\" should be"));
}

TEST_F(Align, ATargetThatTheQuestionsCannotExpressIsRefused) {
  const auto outcome = run({"align", "choice", "moralchoice", "--model", "scripted:random", "--target", "ess11_ie"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("moralchoice cannot answer for target ess11_ie"));
  const auto other = run({"align", "choice", "svo", "--target", "svo_reachable", "--toward", "scripted:ideal"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("say whose answers are learned, once"));
  EXPECT_THAT(run({"align", "choice", "svo"}).err, HasSubstr("say whose answers are learned, once"));
}

TEST_F(Align, ExportingWhatIsNoTrainingIsRefused) {
  const auto outcome = run({"align", "export", "nowhere"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("holds no training (no job.json)"));
  EXPECT_EQ(run({"align", "export", "nowhere", "--format", "q3"}).status, 2);
  const auto both = run({"align", "export", "nowhere", "--as", "peft", "--format", "f16"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.err, HasSubstr("--format f16: is of merged models"));
}

}  // namespace
}  // namespace valence::testing
