// The gap as a person sees it: hvae and svo against the slider's targets, one run and two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

nlohmann::json at(const nlohmann::json& rows, const std::string& id) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row["id"] == id; });
  return found == rows.end() ? nlohmann::json() : *found;
}

class Gap : public ::testing::Test {
 protected:
  void measure(const std::string& instrument, const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"measure", instrument, "--model", model};
    words.insert(words.end(), more.begin(), more.end());
    const auto outcome = run(words);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
  }
  Outcome run(const std::vector<std::string>& words) { return testing::run(scratch_.path(), words); }
  Scratch scratch_;
};

TEST_F(Gap, OfTheIdealSubjectIsZeroFromReachableTargets) {
  measure("hvae", "scripted:ideal", {"--dialogues", "3"});
  const auto outcome = run({"gap", "1", "--target", "svo_reachable", "--target", "svo_ideal", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["gaps"].size(), 2u);
  const auto& reachable = json["gaps"][0];
  EXPECT_EQ(reachable["convention"], "degrees");
  for (const std::string direction : {"altruistic", "prosocial", "individualistic", "competitive"}) {
    EXPECT_NEAR(at(reachable["figures"], "angle_distance." + direction)["estimate"]["value"].get<double>(), 0.0, 0.6) << direction;
  }
  const auto ideal = at(json["gaps"][1]["figures"], "angle_distance.altruistic");
  EXPECT_NEAR(ideal["estimate"]["value"].get<double>(), 28.61, 0.01);  // no real answer reaches 90°
  EXPECT_EQ(ideal["estimate"]["unit"], "dialogue");
}

constexpr std::string_view kSurvey =
    "group,question,option,share\n"
    "Here,Is it warm?,yes,0.75\nHere,Is it warm?,no,0.25\n"
    "Here,Is it late?,yes,0.5\nHere,Is it late?,no,0.5\n"
    "There,Is it warm?,yes,0.25\nThere,Is it warm?,no,0.75\n";

TEST_F(Gap, ToASurveysAnswersIsOfThatSurveysQuestions) {
  put_file(scratch_ / "survey.csv", std::string(kSurvey));
  for (const std::string group : {"Here", "There"}) {
    const auto imported = run({"target", "import", "survey.csv", "--form", "opinions", "--group", group, "--ordered", "--out", group + ".json"});
    ASSERT_EQ(imported.status, 0) << imported.err;
  }
  measure("opinions", "scripted:random", {"--questions", "Here.json"});
  measure("opinions", "scripted:letter?label=A", {"--questions", "Here.json"});
  const auto outcome = run({"gap", "1", "--target", "Here.json", "--target", "There.json", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto gaps = nlohmann::json::parse(outcome.out)["gaps"];
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0]["convention"], "distributions");
  EXPECT_EQ(gaps[0]["dimensions"].size(), 2u);
  EXPECT_NEAR(at(gaps[0]["figures"], "wasserstein")["estimate"]["value"].get<double>(), 0.125, 1e-9) << "uniform answers: .25 and 0";
  EXPECT_NEAR(at(gaps[0]["figures"], "wasserstein_gain")["estimate"]["value"].get<double>(), 0.0, 1e-9);
  EXPECT_EQ(gaps[1]["dimensions"].size(), 1u);
  const auto compared = run({"compare", "1", "2", "--target", "Here.json"});
  ASSERT_EQ(compared.status, 0) << compared.err;
  EXPECT_THAT(compared.out, HasSubstr("questions compared: 2"));

  measure("svo", "scripted:ideal");
  EXPECT_THAT(run({"gap", "3", "--target", "Here.json"}).err, HasSubstr("run 3 is svo: measure opinions, with --questions and this file"));
  EXPECT_THAT(run({"gap", "1", "--target", "Here.json", "--map", "centre"}).err, HasSubstr("--map and --distance are for targets of scores"));
  EXPECT_EQ(run({"gap", "1", "--target", "Here.json", "--map", "centre"}).status, 2);
}

TEST_F(Gap, NamesTheNearerOfTwoReadableSubjects) {
  measure("hvae", "scripted:ideal", {"--dialogues", "4"});
  measure("hvae", "scripted:noisy?lapse=0.2", {"--dialogues", "4"});
  const auto outcome = run({"compare", "1", "2", "--target", "svo_reachable", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  const auto altruistic = at(json["gaps"], "angle_distance.altruistic");
  EXPECT_TRUE(altruistic["paired"].get<bool>());
  EXPECT_GT(altruistic["value"].get<double>(), 0.0);
  EXPECT_NEAR(altruistic["value"].get<double>(), altruistic["second"]["value"].get<double>() - altruistic["first"]["value"].get<double>(), 1e-12);
  EXPECT_EQ(altruistic["nearer"], 1);
  EXPECT_EQ(at(json["gaps"], "value_rationality.altruistic")["nearer"], 1);  // less of it is farther
}

TEST_F(Gap, OfARunThatFailedTheGateHasItsBannerAndRanksNobody) {
  measure("svo", "scripted:letter?label=A");
  measure("svo", "scripted:ideal");
  const auto gap = run({"gap", "1", "--target", "svo_reachable"});
  ASSERT_EQ(gap.status, 0) << gap.err;
  EXPECT_THAT(gap.out, HasSubstr("run 1 is NOT INTERPRETABLE ("));
  EXPECT_THAT(gap.out, HasSubstr("): this gap says nothing about values and ranks nobody"));
  const auto compared = run({"compare", "1", "2", "--target", "svo_reachable", "--json"});
  ASSERT_EQ(compared.status, 0) << compared.err;
  const auto json = nlohmann::json::parse(compared.out);
  ASSERT_FALSE(json["gaps"].empty());
  for (const auto& row : json["gaps"]) EXPECT_TRUE(row["nearer"].is_null()) << row;
}

TEST_F(Gap, RefusesWhatCannotBeCompared) {
  measure("svo", "scripted:ideal");
  EXPECT_EQ(run({"gap", "1"}).status, 2);
  const auto unknown = run({"gap", "1", "--target", "svo_reachble"});
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"svo_reachable\"?"));
  const auto distance = run({"gap", "1", "--target", "svo_reachable", "--distance", "l2"});
  EXPECT_EQ(distance.status, 2);
  EXPECT_EQ(distance.err, "valence: distance \"l2\": angles have angle_distance and value_rationality\n");
  const auto alone = run({"compare", "1", "1", "--distance", "l2"});
  EXPECT_EQ(alone.status, 2);
  EXPECT_EQ(alone.err, "valence: --distance and --map are about a target: name one with --target\n");
}

}  // namespace
}  // namespace valence::testing
