#include "valence/study/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sample_study.h"
#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/study/study_report.h"

namespace valence {
namespace {

using testing::content_of;
using ::testing::HasSubstr;
using testing::Scratch;
using testing::study_of;

class StudyRun : public ::testing::Test {
 protected:
  Study study(const std::string& from = "", const std::string& to = "") const {
    auto text = study_of((scratch_ / "report.html").string());
    if (!from.empty()) text = replace_all(text, from, to);
    auto read = parse_study(text, "trial.toml");
    EXPECT_TRUE(read) << (read ? "" : read.error().message);
    return std::move(*read);
  }
  /// Full names of the steps that a run of the study did.
  std::vector<std::string> run(const Study& study) {
    std::vector<std::string> ran;
    StudyOptions options{
        .stop = {}, .folder = scratch_.path(), .started = [&](const PlannedStep& step, std::size_t, std::size_t) {
          ran.push_back(step.step->full_name());
        }};
    const auto plan = run_study(study, *store_, options);
    EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
    return ran;
  }
  Scratch scratch_;
  std::unique_ptr<Store> store_ = Store::open(scratch_ / "v.db").value();
};

const std::vector<std::string> kAll = {"align.persona", "measure.before", "measure.after", "gap.change"};

TEST_F(StudyRun, RunsEveryStepOnceAndThenNothing) {
  const auto trial = study();
  EXPECT_EQ(run(trial), kAll);
  EXPECT_TRUE(run(trial).empty());
  EXPECT_EQ(plan_study(trial, store_.get())->to_run(), 0U);
}

TEST_F(StudyRun, AScriptedSubjectIsBroughtToTheTargetAndTheGapSaysSo) {
  const auto trial = study();
  run(trial);
  const auto plan = plan_study(trial, store_.get()).value();
  const auto record = store_->run(*plan.steps.back().run).value();
  const auto gap = parse_json(record.profile, "gap").value()["gaps"][0];
  EXPECT_EQ(gap["id"], "angle_distance.prosocial");
  EXPECT_NEAR(gap["second"]["value"].get<double>(), 0.0, 1e-6);
  EXPECT_GT(gap["first"]["value"].get<double>(), 5.0);
}

TEST_F(StudyRun, AChangedStepRunsAgainWithWhatDependsOnItOnly) {
  run(study());
  EXPECT_EQ(run(study("settings = { prompt_wordings = 1", "settings = { prompt_wordings = 2")),
            (std::vector<std::string>{"align.persona", "measure.after", "gap.change"}));
}

TEST_F(StudyRun, AChangedMeasurementLeavesTheAlignmentAlone) {
  run(study());
  EXPECT_EQ(run(study("subject = \"base\"\nsettings = { labels = \"letters\" }",
                      "subject = \"base\"\nsettings = { labels = \"digits\" }")),
            (std::vector<std::string>{"measure.before", "gap.change"}));
}

TEST_F(StudyRun, AChangedSubjectReachesEverything) {
  run(study());
  EXPECT_EQ(run(study("model = \"scripted:ideal\"", "model = \"scripted:noisy?lapse=0.1\"")), kAll);
}

TEST_F(StudyRun, AChangedTitleRunsNothing) {
  run(study());
  EXPECT_TRUE(run(study("title = \"A trial\"", "title = \"Another\"")).empty());
}

TEST_F(StudyRun, ThePlanOfANewStudyKnowsNoTimesAndOfAKnownOneDoes) {
  const auto trial = study();
  const auto before = plan_study(trial, store_.get()).value();
  EXPECT_EQ(before.to_run(), 4U);
  EXPECT_FALSE(before.seconds());
  run(trial);
  const auto other = study("model = \"scripted:ideal\"", "model = \"scripted:ideal\"\npersona = \"You are a nurse.\"");
  const auto after = plan_study(other, store_.get()).value();
  EXPECT_EQ(after.to_run(), 4U);
  ASSERT_TRUE(after.seconds());
  EXPECT_GT(*after.seconds(), 0.0);
}

TEST_F(StudyRun, WithoutAStoreEverythingIsToRun) { EXPECT_EQ(plan_study(study(), nullptr)->to_run(), 4U); }

TEST_F(StudyRun, AFinishedMeasurementOfTheSameKeyIsNotMadeAgain) {
  run(study());
  const auto runs = store_->runs()->size();
  // Another study with the same measurement under another name: the step is new, the run is the same.
  EXPECT_EQ(run(study("[measure.before]",
                      "[measure.first]\ninstrument = \"svo\"\nsubject = \"base\"\nsettings = { labels = \"letters\" "
                      "}\n[measure.before]"))
                .size(),
            0U)
      << "steps of the same hash share their result, whatever they are called";
  EXPECT_EQ(store_->runs()->size(), runs);
}

TEST_F(StudyRun, AChangeNeedsNoTarget) {
  const auto trial = study("[report]", "[change.both]\nbefore = \"before\"\nafter = \"after\"\n[report]");
  const auto ran = run(trial);
  EXPECT_EQ(ran.back(), "change.both");
  const auto plan = plan_study(trial, store_.get()).value();
  const auto report = gather_report(trial, plan, *store_).value();
  ASSERT_EQ(report.changes.size(), 2U);
  EXPECT_FALSE(report.changes[1].target);
  const auto filed = parse_json(store_->run(*plan.steps.back().run)->profile, "change").value();
  EXPECT_EQ(filed["differences"][0]["id"], "angle");
}

// The held-out content test of a half-random altruist and of what the persona made of it.
TEST_F(StudyRun, AContentStepSaysWhatMayBeClaimed) {
  const auto trial =
      study("[report]", "[content.sliders]\nbefore = \"before\"\nafter = \"after\"\ntarget = \"prosocial\"\n[report]");
  EXPECT_EQ(run(trial).back(), "content.sliders");
  const auto plan = plan_study(trial, store_.get()).value();
  const auto report = gather_report(trial, plan, *store_).value();
  ASSERT_EQ(report.contents.size(), 1U);
  const auto table = parse_json(report.contents[0].table, "content").value();
  EXPECT_FALSE(table["before"]["passed"].get<bool>()) << "half individualist, half prosocial";
  EXPECT_TRUE(table["after"]["passed"].get<bool>()) << table["after"]["objection"];
  EXPECT_GT(table["gain"]["low"].get<double>(), 0.0);
  EXPECT_EQ(table["after"]["figures"][0]["label"], "angle of expected payoffs");
  EXPECT_EQ(content_verdict(report.contents[0]).value(),
            "SVO Slider Measure: the answers of scripted:ideal aligned in context follow most extreme real answers "
            "(prosocial) by their content.");
  const auto page = study_html(report).value();
  EXPECT_THAT(page, HasSubstr("Is it the content that was learned?"));
  EXPECT_THAT(page, HasSubstr("answer where altruistic would differ"));
}

// Without a target of its own, the tax takes the alignment's: its angle is what was to move.
TEST_F(StudyRun, TheAngleThatWasToMoveIsTargetedInTheTax) {
  for (const auto& named : {std::string(), std::string("target = \"prosocial\"\n")}) {
    const auto trial = study("[report]", "[tax.cost]\nbase = \"base\"\naligned = \"persona\"\n" + named +
                                             "drift = [[\"before\", \"after\"]]\nreplies = { count = 4, max_tokens = 8 "
                                             "}\nfluency = { count = 6 }\ncapability = { wordings = 2 }\n[report]");
    run(trial);
    const auto plan = plan_study(trial, store_.get()).value();
    const auto report = gather_report(trial, plan, *store_).value();
    ASSERT_EQ(report.taxes.size(), 1U);
    const auto drift = parse_json(report.taxes[0].table, "tax").value()["drift"];
    ASSERT_FALSE(drift.empty());
    EXPECT_EQ(drift[0]["dimension"], "angle");
    EXPECT_TRUE(drift[0]["targeted"].get<bool>());
    const auto page = study_html(report).value();
    EXPECT_EQ(page.find("<td>not targeted</td>"), std::string::npos);
  }
}

TEST_F(StudyRun, AStopEndsItAndTheNextRunGoesOn) {
  std::stop_source source;
  StudyOptions options{.stop = source.get_token(),
                       .folder = scratch_.path(),
                       .started = [&](const PlannedStep& step, std::size_t, std::size_t) {
                         if (step.step->full_name() == "measure.before") source.request_stop();
                       }};
  const auto trial = study();
  const auto stopped = run_study(trial, *store_, options);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kStopped);
  EXPECT_THAT(stopped.error().message, HasSubstr("measure.before: "));
  EXPECT_EQ(run(trial), (std::vector<std::string>{"measure.before", "measure.after", "gap.change"}));
}

TEST_F(StudyRun, AStepThatCannotBeDoneIsNamed) {
  const auto trial = study("model = \"scripted:ideal\"", "model = \"scripted:nobody\"");
  const auto plan = plan_study(trial, store_.get());
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("subject.base: "));
}

TEST_F(StudyRun, AReportBeforeTheRunSaysHowToGetIt) {
  const auto trial = study();
  const auto written = write_study_report(trial, plan_study(trial, store_.get()).value(), *store_);
  ASSERT_FALSE(written);
  EXPECT_EQ(
      written.error().message,
      "trial: align.persona has not been run yet, or what it depends on has changed: valence study run trial.toml");
}

TEST_F(StudyRun, TheReportsNumbersAreThoseOfItsJson) {
  const auto trial = study();
  run(trial);
  const auto written = write_study_report(trial, plan_study(trial, store_.get()).value(), *store_);
  ASSERT_TRUE(written) << written.error().message;
  const auto page = content_of(written->html);
  const auto json = nlohmann::json::parse(content_of(written->json));
  const auto& change = json["changes"][0];
  const auto& gap = change["gap"]["gaps"][0];
  for (const auto& value : {gap["value"], gap["first"]["value"], gap["second"]["value"]})
    EXPECT_THAT(page, HasSubstr(">" + significant(value.get<double>()) + "</td>"));
  for (const auto& figure : change["figures"]) {
    if (figure["headline"] == true) {
      EXPECT_THAT(page, HasSubstr(">" + significant(figure["change"]["value"].get<double>()) + "</td>"));
    }
  }
  EXPECT_EQ(json["steps"].size(), 6U);
  EXPECT_EQ(json["alignments"][0]["record"]["chosen"], "person");
  EXPECT_THAT(page, HasSubstr("simulated subject of known truth"));
}

}  // namespace
}  // namespace valence
