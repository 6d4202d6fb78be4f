// Studies, the in-context aligner and the tax as a person meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "program.h"
#include "support/environment.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kTrial = R"(
id = "trial"
title = "A trial"
[subject.base]
model = "scripted:noisy?lapse=0.3"
[target.prosocial]
target = "svo_reachable"
dimensions = ["prosocial"]
[align.persona]
method = "in_context"
subject = "base"
target = "prosocial"
instrument = "svo"
asked = { labels = "letters" }
settings = { prompt_wordings = 2 }
[measure.before]
instrument = "svo"
subject = "base"
[measure.after]
instrument = "svo"
subject = "persona"
[gap.change]
before = "before"
after = "after"
target = "prosocial"
[tax.cost]
base = "base"
aligned = "persona"
drift = [["before", "after"]]
capability = { wordings = 2 }
)";

nlohmann::json json_of(const std::filesystem::path& path) { return nlohmann::json::parse(content_of(path)); }

class StudyCommand : public ::testing::Test {
 protected:
  void SetUp() override { put_file(scratch_ / "trial.toml", kTrial); }
  Outcome run(const std::vector<std::string>& words) { return testing::run(scratch_.path(), words); }
  Scratch scratch_;
  Environment cache_{"VALENCE_CACHE", (scratch_ / "cache").string()};  // times of steps are kept there
};

TEST_F(StudyCommand, PlansRunsReportsAndThenHasNothingToDo) {
  const auto plan = run({"study", "plan", "trial.toml"});
  ASSERT_EQ(plan.status, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("5 steps to run, time not known"));
  const auto ran = run({"study", "run", "trial.toml"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("report: out/trial.html"));
  const auto again = run({"study", "plan", "trial.toml"});
  EXPECT_THAT(again.out, HasSubstr("everything is done"));
  EXPECT_THAT(content_of(scratch_ / "out/trial.html"), HasSubstr("What it cost"));
  const auto figures = json_of(scratch_ / "out/trial.json");
  EXPECT_EQ(figures["taxes"][0]["table"]["lines"][0]["id"], "perplexity_ratio");
}

TEST_F(StudyCommand, SaysWhatItCostAndWhetherItIsTheContent) {
  put_file(scratch_ / "trial.toml", std::string(kTrial) + "[content.sliders]\nbefore = \"before\"\nafter = \"after\"\n"
                                                          "target = \"prosocial\"\n");
  const auto ran = run({"study", "run", "trial.toml"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto reported = run({"study", "report", "trial.toml"});
  ASSERT_EQ(reported.status, 0) << reported.err;
  const auto figures = json_of(scratch_ / "out/trial.json");
  const auto content = figures["contents"][0]["verdict"].get<std::string>(),
             cost = figures["taxes"][0]["verdict"].get<std::string>();
  EXPECT_THAT(content, HasSubstr("by their content"));
  EXPECT_THAT(cost, HasSubstr("Cost of scripted:noisy?lapse=0.3 aligned in context"));
  for (const auto& out : {ran.out, reported.out}) {
    EXPECT_THAT(out, HasSubstr(content + "\n"));
    EXPECT_THAT(out, HasSubstr(cost + "\n"));
  }
}

/// The report's figures without what differs from run to run.
nlohmann::json figures_of(const std::filesystem::path& folder) {
  auto json = json_of(folder / "out/trial.json");
  return {json["changes"][0]["figures"], json["changes"][0]["gap"]["gaps"], json["taxes"][0]["table"]["lines"],
          json["alignments"][0]["record"]};
}

TEST_F(StudyCommand, KilledInTheMiddleItGoesOnAndEndsTheSame) {
  ASSERT_EQ(run({"study", "run", "trial.toml"}).status, 0);
  auto whole = figures_of(scratch_.path());
  for (const int milliseconds : {60, 150, 400}) {
    Scratch other;
    put_file(other / "trial.toml", kTrial);
    const auto child = start(other.path(), {"study", "run", "trial.toml"});
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    ::kill(child, SIGKILL);
    wait_for(child, other.path());
    const auto outcome = testing::run(other.path(), {"study", "run", "trial.toml"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    auto resumed = figures_of(other.path());
    for (auto* figures : {&whole, &resumed}) {  // numbers of runs differ where a step was begun twice
      for (auto& gap : (*figures)[1]) gap.erase("nearer");
    }
    EXPECT_EQ(resumed, whole) << milliseconds;
  }
}

TEST_F(StudyCommand, AMistakeInTheFileHasItsPlaceAndStatusTwo) {
  put_file(scratch_ / "bad.toml",
           "id = \"x\"\ntitle = \"x\"\n[measure.a]\ninstrument = \"svo\"\nsubject = \"nobody\"\n");
  const auto outcome = run({"study", "run", "bad.toml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("valence: bad.toml:5:11: no subject or align is called \"nobody\"; the study has "
                                     "none; write [subject.nobody]"));
}

TEST_F(StudyCommand, AMissingFileIsSaidToBeMissing) {
  const auto outcome = run({"study", "plan", "none.toml"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("none.toml"));
}

TEST_F(StudyCommand, ListsTheKindsOfStepsAndTheMethods) {
  const auto json = nlohmann::json::parse(run({"study", "list", "--json"}).out);
  EXPECT_EQ(json["steps"].size(), 9U);
  EXPECT_EQ(json["aligners"][0]["id"], "in_context");
}

TEST_F(StudyCommand, AStepThatIsNoMeasurementHasNoReportOfItsOwn) {
  ASSERT_EQ(run({"study", "run", "trial.toml"}).status, 0);
  const auto outcome = run({"report", "1"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("run 1 is a step of kind align/in_context, not a measurement"));
}

TEST_F(StudyCommand, AlignInContextWritesASubjectThatCanBeMeasured) {
  const auto aligned =
      run({"align", "in-context", "svo", "--model", "scripted:ideal", "--target", "svo_reachable", "--direction",
           "prosocial", "--labels", "letters", "--prompt-wordings", "2", "--out", "out/persona.toml", "--json"});
  ASSERT_EQ(aligned.status, 0) << aligned.err;
  const auto json = nlohmann::json::parse(aligned.out);
  EXPECT_TRUE(json["record"]["improved"].get<bool>());
  EXPECT_EQ(json["gap"]["gaps"][0]["nearer"], json["after"]);
  const auto measured = run({"measure", "svo", "--subject", "out/persona.toml", "--json"});
  ASSERT_EQ(measured.status, 0) << measured.err;
  EXPECT_NEAR(nlohmann::json::parse(measured.out)["entries"][0]["estimate"]["value"].get<double>(), 45.0, 1e-6);
}

TEST_F(StudyCommand, AlignInContextWritesOverNoOtherSubject) {
  const auto align = [&](const std::string& direction) {
    return run({"align", "in-context", "svo", "--model", "scripted:ideal", "--target", "svo_reachable", "--direction",
                direction, "--labels", "letters", "--prompt-wordings", "2", "--out", "out/persona.toml"});
  };
  const auto runs = [&] { return nlohmann::json::parse(run({"runs", "--json"}).out)["runs"].size(); };
  const std::string refusal =
      "valence: --out out/persona.toml: what lies there is not what this alignment comes to; name another --out, or remove it\n";
  ASSERT_EQ(align("prosocial").status, 0);
  const auto written = content_of(scratch_ / "out/persona.toml");
  EXPECT_EQ(align("prosocial").status, 0) << "the same again";
  const auto before = runs();
  const auto other = align("altruistic");
  EXPECT_EQ(other.status, 2);
  EXPECT_EQ(other.err, refusal);
  EXPECT_EQ(runs(), before) << "told before the search";
  EXPECT_EQ(content_of(scratch_ / "out/persona.toml"), written);
  const auto edited = "# mine\n" + written;  // still a subject that the search might come to
  put_file(scratch_ / "out/persona.toml", edited);
  const auto changed = align("prosocial");
  EXPECT_EQ(changed.status, 2);
  EXPECT_THAT(changed.err, HasSubstr(refusal));
  EXPECT_EQ(content_of(scratch_ / "out/persona.toml"), edited);
}

TEST_F(StudyCommand, AlignInContextWithoutADirectionSaysWhatIsMissing) {
  const auto outcome = run({"align", "in-context", "svo", "--model", "scripted:ideal", "--target", "svo_reachable"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("a subject can be brought to one: name it"));
}

TEST_F(StudyCommand, TheTaxOfASubjectAgainstItselfIsNothing) {
  const auto outcome = run({"tax", "scripted:ideal", "scripted:ideal", "--set", "capability.wordings=2", "--set",
                            "fluency.count=5", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["lines"][0]["change"]["value"], 1.0);
}

TEST_F(StudyCommand, MistakesOfTheTaxAreNamed) {
  EXPECT_THAT(run({"tax", "scripted:ideal", "scripted:ideal", "--set", "fluency.cuont=5"}).err,
              HasSubstr("unknown setting \"cuont\"; did you mean \"count\"?"));
  EXPECT_THAT(run({"tax", "scripted:ideal", "scripted:ideal", "--set", "fluency"}).err,
              HasSubstr("--set fluency: write INSTRUMENT.SETTING=VALUE"));
  ASSERT_EQ(run({"measure", "svo", "--model", "scripted:ideal"}).status, 0);
  ASSERT_EQ(run({"measure", "svo", "--model", "scripted:random"}).status, 0);
  const auto other = run({"tax", "scripted:ideal", "scripted:ideal", "--drift", "1:2"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("run 2 is of scripted:random, not of scripted:ideal as it is here (identity differs)"));
  EXPECT_THAT(run({"tax", "scripted:ideal", "scripted:ideal", "--drift", "3"}).err,
              HasSubstr("--drift 3: two run numbers with a colon between them"));
  EXPECT_THAT(run({"tax", "scripted:ideal", "nobody.toml"}).err, HasSubstr("nobody.toml"));
}

TEST_F(StudyCommand, TheTaxNeedsATargetForItsMapAndItsDimensions) {
  for (const std::string flag : {"--map", "--dimension"}) {
    const auto outcome = run({"tax", "scripted:ideal", "scripted:ideal", flag, "security"});
    EXPECT_EQ(outcome.status, 2) << flag;
    EXPECT_THAT(outcome.err, HasSubstr(flag + " requires --target"));
  }
}

}  // namespace
}  // namespace valence::testing
