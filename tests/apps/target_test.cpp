// Targets as a person meets them: the shipped ones, a survey's answers, one's own, and their pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

nlohmann::json parsed(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return outcome.status == 0 ? nlohmann::json::parse(outcome.out) : nlohmann::json();
}

double value_of(const nlohmann::json& target, const std::string& dimension) {
  for (const auto& value : target["values"]) {
    if (value["dimension"] == dimension) return value["value"];
  }
  ADD_FAILURE() << dimension;
  return 0.0;
}

class TargetCommand : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& words) { return testing::run(scratch_.path(), words); }
  /// The program with a file as its standard input.
  Outcome run_with_input(const std::vector<std::string>& words, const std::string& input) {
    put_file(scratch_ / "input.txt", input);
    const int keyboard = ::dup(STDIN_FILENO);
    EXPECT_NE(std::freopen((scratch_ / "input.txt").c_str(), "r", stdin), nullptr);
    auto outcome = run(words);
    ::dup2(keyboard, STDIN_FILENO);
    ::close(keyboard);
    return outcome;
  }
  Scratch scratch_;
};

std::string pvq40_csv(int people) {
  std::string csv = "country";
  for (int item = 1; item <= 40; ++item) csv += ",pvq" + std::to_string(item);
  csv += "\n";
  for (int person = 0; person < people; ++person) {
    csv += person % 2 == 0 ? "A" : "B";
    for (int item = 0; item < 40; ++item) csv += "," + std::to_string(1 + (item * 7 + person * 5) % 6);
    csv += "\n";
  }
  return csv;
}

TEST_F(TargetCommand, ListsWhatThereIs) {
  const auto all = parsed(run({"target", "list", "--json"}))["targets"];
  EXPECT_EQ(all.size(), 32u);
  const auto schwartz = run({"target", "list", "--space", "schwartz10"});
  EXPECT_THAT(schwartz.out, HasSubstr("ess11_fr"));
  EXPECT_THAT(schwartz.out, Not(HasSubstr("svo_ideal")));
}

TEST_F(TargetCommand, ShowsOneAndDrawsIt) {
  const auto target = parsed(run({"target", "show", "ess11_fr", "--picture", "fr.svg", "--json"}));
  EXPECT_EQ(target["scale"], "centred");
  EXPECT_EQ(target["respondents"], 1743);
  EXPECT_EQ(value_of(target, "conformity"), -.3019);
  const auto picture = content_of(scratch_ / "fr.svg");
  EXPECT_THAT(picture, ::testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(picture, HasSubstr("Universalism"));
  EXPECT_THAT(picture, HasSubstr("France, European Social Survey round 11"));
  EXPECT_THAT(picture, Not(HasSubstr("uniform responder")));
  const auto shown = run({"target", "show", "fulcra_security"});
  EXPECT_THAT(shown.out, HasSubstr("left out"));
}

TEST_F(TargetCommand, DrawsCirclesOnly) {
  const auto ring = run({"target", "show", "svo_ideal", "--picture", "x.svg"});
  EXPECT_EQ(ring.status, 2);
  EXPECT_EQ(ring.err, "valence: target svo_ideal: pictures are of circles of values, and svo_ring is none\n");
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "x.svg"));
}

TEST_F(TargetCommand, ImportsASubgroupThatOtherCommandsRead) {
  put_file(scratch_ / "answers.csv", pvq40_csv(40));
  const auto made =
      parsed(run({"target", "import", "answers.csv", "--form", "pvq40", "--where", "country == 'A'", "--any-order",
                  "--out", "a.toml", "--label", "group A", "--scores", "raw", "--picture", "a.svg", "--json"}));
  EXPECT_EQ(made["counts"]["used"], 20);
  EXPECT_EQ(made["counts"]["outside"], 20);
  EXPECT_EQ(made["target"]["label"], "group A");
  const auto raw = parsed(run({"target", "show", "a.toml", "--json"}));
  EXPECT_EQ(raw["values"], made["target"]["values"]);
  EXPECT_FALSE(raw["values"][0]["low"].is_null());
  const auto centred = parsed(run({"target", "show", "a.toml", "--map", "centre", "--json"}));
  EXPECT_NEAR(value_of(centred, "power"), value_of(raw, "power") - raw["mean_rating"].get<double>(), 1e-9);
  const auto refused = run({"target", "compare", "a.toml", "ess11_fr"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err, "valence: a is raw and ess11_fr is centred: name the map \"centre\" for a\n");
  const auto compared = parsed(run({"target", "compare", "a.toml", "ess11_fr", "--map", "centre", "--json"}));
  EXPECT_EQ(compared["scale"], "centred");
  EXPECT_EQ(compared["dimensions"].size(), 10u);
}

TEST_F(TargetCommand, ImportErrorsNameTheFlagOrTheRow) {
  put_file(scratch_ / "answers.csv", pvq40_csv(3));
  const auto filter =
      run({"target", "import", "answers.csv", "--form", "pvq40", "--where", "country = 'A'", "--out", "a.toml"});
  EXPECT_EQ(filter.status, 2);
  EXPECT_EQ(filter.err, "valence: filter, character 9: expected ==, !=, <, <=, >, >= or in, found \"= 'A'\"\n");
  const auto form = run({"target", "import", "answers.csv", "--form", "ess_pvq21", "--out", "a.toml"});
  EXPECT_THAT(form.err, HasSubstr("answers.csv:1: no column \"ipcrtiv\", an item of ess_pvq21 (nor \"ipcrtiva\")"));
  const auto mixed = run({"target", "import", "answers.csv", "--form", "pvq40", "--group", "A", "--out", "a.toml"});
  EXPECT_EQ(mixed.status, 2);
  EXPECT_THAT(mixed.err, HasSubstr("a survey's subgroup is chosen with --where"));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "a.toml"));
}

TEST_F(TargetCommand, ComparesTargetsAndDistributions) {
  const auto compared = parsed(run({"target", "compare", "ess11_fr", "ess11_fr", "--json"}));
  for (const auto& distance : compared["distances"]) {
    EXPECT_NEAR(distance["value"].get<double>(), distance["agreement"].get<bool>() ? 1.0 : 0.0, 1e-12) << distance;
  }
  put_file(scratch_ / "o.csv", "group,question,option,share\nA,q,x,1\nA,q,y,0\nB,q,x,0\nB,q,y,1\n");
  for (const std::string group : {"A", "B"}) {
    EXPECT_EQ(run({"target", "import", "o.csv", "--form", "opinions", "--group", group, "--ordered", "--out",
                   group + ".json"})
                  .status,
              0);
  }
  const auto opinions = parsed(run({"target", "compare", "A.json", "B.json", "--json"}));
  EXPECT_EQ(opinions["jensen_shannon"], 1.0);
  EXPECT_EQ(opinions["wasserstein"], 1.0);
  EXPECT_THAT(run({"target", "show", "A.json"}).out, HasSubstr("answers of    A"));
}

TEST_F(TargetCommand, AsksAPersonAndGoesOn) {
  std::string half, rest;
  for (int item = 0; item < 40; ++item) (item < 15 ? half : rest) += std::to_string(1 + (item * 5) % 6) + "\n";
  const auto stopped = run_with_input({"target", "ask", "--out", "me.toml"}, half);
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_THAT(stopped.out,
              HasSubstr("15 of 40 items are done and kept in me.answers.json. Run the same command to go on.\n"));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "me.toml"));
  const auto done =
      run_with_input({"target", "ask", "--out", "me.toml", "--picture", "me.svg", "--label", "Anna", "--json"}, rest);
  const auto json = parsed(done);
  EXPECT_TRUE(json["complete"].get<bool>());
  EXPECT_EQ(json["target"]["label"], "Anna");
  EXPECT_EQ(json["target"]["respondents"], 1);
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "me.svg"));
  EXPECT_EQ(parsed(run({"target", "show", "me.toml", "--json"}))["values"], json["target"]["values"]);
}

TEST_F(TargetCommand, MakesNoTargetOfOneAnswerThroughout) {
  std::string same;
  for (int item = 0; item < 40; ++item) same += "3\n";
  const auto outcome = run_with_input({"target", "ask", "--out", "me.toml"}, same);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "valence: me.answers.json: 40 of 40 answers are the same, and at most 30 may be: they do not tell the "
            "values apart\n");
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "me.toml"));
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "me.answers.json"));
}

// The whole path: a questionnaire's run against a country.
TEST_F(TargetCommand, HoldsARunAgainstACountry) {
  ASSERT_EQ(run({"measure", "questionnaire", "--model", "scripted:ideal"}).status, 0);
  const auto gap = parsed(run({"gap", "1", "--target", "ess11_fr", "--json"}));
  EXPECT_EQ(gap["gaps"][0]["convention"], "centred");
  EXPECT_EQ(gap["gaps"][0]["dimensions"].size(), 10u);
  const auto refused = run({"gap", "1", "--target", "fulcra_uk"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("target fulcra_uk is given as unit scores, this run has centred and raw ones"));
}

}  // namespace
}  // namespace valence::testing
