// Scoring given answers, reproducing published facts, completion.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

TEST(Score, AltruistsAngleIsTheLargestReachable) {
  const Scratch scratch;
  const auto outcome = run(scratch.path(), {"score", "svo", "--answers", "AIAAII", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_NEAR(json["details"][0]["angle"].get<double>(), 61.38954, 1e-5);
  EXPECT_FALSE(json["validity"]["assessed"].get<bool>());
}

TEST(Score, WrongNumberOfLettersIsAUsageError) {
  const Scratch scratch;
  const auto outcome = run(scratch.path(), {"score", "svo", "--answers", "AIA"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("3"));
}

TEST(Score, ExportedAnswersScoreAsTheRunDid) {
  const Scratch scratch;
  const auto measured = run(scratch.path(), {"measure", "moralchoice", "--model", "scripted:noisy?lapse=0.2", "--scenarios", "10", "--json"});
  ASSERT_EQ(measured.status, 0) << measured.err;
  ASSERT_EQ(run(scratch.path(), {"export", "1", "--format", "jsonl", "--out", "answers.jsonl"}).status, 0);
  const auto scored = run(scratch.path(), {"score", "moralchoice", "--answers", "answers.jsonl", "--json"});
  ASSERT_EQ(scored.status, 0) << scored.err;
  EXPECT_EQ(nlohmann::json::parse(scored.out)["entries"], nlohmann::json::parse(measured.out)["entries"]);
}

TEST(Reproduce, EveryFactOfTheSliderIsMet) {
  const Scratch scratch;
  const auto outcome = run(scratch.path(), {"reproduce", "svo", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_FALSE(json["facts"].empty());
  for (const auto& fact : json["facts"]) EXPECT_TRUE(fact["met"].get<bool>()) << fact;
}

TEST(Completion, KnowsCommandsAndFlags) {
  const Scratch scratch;
  const auto outcome = run(scratch.path(), {"completion", "bash"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("--dialogues"));
  EXPECT_THAT(outcome.out, HasSubstr("complete -o default -F _valence valence"));
}

}  // namespace
}  // namespace valence::testing
