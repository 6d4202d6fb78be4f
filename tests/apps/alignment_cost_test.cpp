// What is to be measured of an alignment, what it cost foremost, as a person is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/llama_tiny.h"
#include "program.h"
#include "support/environment.h"
#include "support/fake_trainer.h"

namespace valence::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class AlignmentCost : public ::testing::Test {
 protected:
  AlignmentCost() {
    test::write_tiny({}, scratch_ / "tiny.gguf");
    put_fake_trainer(scratch_ / "trainer");
    put_file(scratch_ / "talk.jsonl", "{\"prompt\": \"a?\", \"completion\": \"yes\"}\n");
    put_file(scratch_ / "pairs.jsonl", "{\"prompt\": \"a?\", \"chosen\": \"yes\", \"rejected\": \"no\"}\n");
  }

  Outcome valence(const std::vector<std::string>& arguments) { return run(scratch_.path(), arguments); }

  /// What a training prints.
  std::string trained(const std::string& operation, const std::string& data,
                      const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"align",     operation, "--model", "tiny.gguf", "--compute", "as_is",
                                          "--threads", "1",       "--data",  data,        "--out",     "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = valence(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  }

  Scratch scratch_;
  test::ScratchCache cache_;
  Environment trainer_{"VALENCE_TRAIN", (scratch_ / "trainer").string()};
};

TEST_F(AlignmentCost, ATrainingEndsWithHowToMeasureIt) {
  const auto out = trained("sft", "talk.jsonl");
  EXPECT_THAT(out, HasSubstr("\n  its cost: valence tax tiny.gguf tiny.gguf --adapter "));
  EXPECT_THAT(out, EndsWith("/out/adapter.gguf\n"));
}

TEST_F(AlignmentCost, AChoiceAlignmentAlsoEndsWithHowToMeasureItOnWhatWasHeldOut) {
  put_file(scratch_ / "town.csv", "group,question,option,share\ntown,Is it late?,yes,0.7\ntown,Is it late?,no,0.3\n");
  ASSERT_EQ(
      valence({"target", "import", "town.csv", "--form", "opinions", "--group", "town", "--out", "town.json"}).status,
      0);
  const auto outcome =
      valence({"align",     "choice",     "opinions",    "--model",   "tiny.gguf", "--compute", "as_is",
               "--threads", "1",          "--questions", "town.json", "--target",  "town.json", "--wording-part",
               "training",  "--wordings", "2",           "--labels",  "digits",    "--out",     "out"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("/out/adapter.gguf --questions town.json --wording-part held_out --labels digits\n"
                                     "  its cost: "));
}

TEST_F(AlignmentCost, WhatTheSubjectHadBeforeCountsWithIt) {
  test::write_tiny_adapter("qwen2", scratch_ / "earlier.gguf");
  EXPECT_THAT(
      trained("sft", "talk.jsonl", {"--adapter", "earlier.gguf"}),
      HasSubstr("\n  its cost, with that of what the subject had before: valence tax tiny.gguf tiny.gguf --adapter "
                "earlier.gguf --adapter "));
}

TEST_F(AlignmentCost, ARewardModelHasNoneAndSaysWhoTakesIt) {
  const auto out = trained("reward", "pairs.jsonl");
  EXPECT_THAT(out, HasSubstr("\n  next: valence align rlhf --model tiny.gguf --reward "));
  EXPECT_THAT(out, Not(HasSubstr("its cost")));
}

TEST_F(AlignmentCost, APromptEndsWithHowToMeasureIt) {
  const auto aligned =
      valence({"align", "in-context", "svo", "--model", "scripted:ideal", "--target", "svo_reachable", "--direction",
               "prosocial", "--labels", "letters", "--prompt-wordings", "1", "--out", "out/persona.toml"});
  ASSERT_EQ(aligned.status, 0) << aligned.err;
  EXPECT_THAT(aligned.out, EndsWith("\n  its cost: valence tax scripted:ideal out/persona.toml\n"));
}

TEST_F(AlignmentCost, AStudyThatDoesNotMeasureItSaysSoInItsPlanAndItsReport) {
  put_file(
      scratch_ / "trial.toml",
      "id = \"trial\"\ntitle = \"A trial\"\n[subject.base]\nmodel = \"scripted:ideal\"\n[target.prosocial]\ntarget = "
      "\"svo_reachable\"\ndimensions = [\"prosocial\"]\n[align.persona]\nmethod = \"in_context\"\nsubject = "
      "\"base\"\ntarget = \"prosocial\"\ninstrument = \"svo\"\nasked = { labels = \"letters\" }\nsettings = { "
      "prompt_wordings = 1, prompt_examples = \"never\" }\n");
  const auto plan = valence({"study", "plan", "trial.toml"});
  EXPECT_THAT(plan.out, HasSubstr("  COST NOT MEASURED: align.persona: add a [tax.NAME] with aligned = \"persona\" "
                                  "(docs/tax.md)\n"));
  const auto json = nlohmann::json::parse(valence({"study", "plan", "trial.toml", "--json"}).out);
  EXPECT_EQ(json["without_tax"], nlohmann::json::array({"align.persona"}));
  const auto ran = valence({"study", "run", "trial.toml"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Cost of align.persona: not measured"));
}

}  // namespace
}  // namespace valence::testing
