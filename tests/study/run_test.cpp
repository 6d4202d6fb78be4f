#include "valence/study/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "sample_study.h"
#include "support/environment.h"
#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/study/study_report.h"

namespace valence {
namespace {

using testing::content_of;
using testing::Environment;
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
  Environment cache_{"VALENCE_CACHE", (scratch_ / "cache").string()};  // times of steps are kept there
  std::unique_ptr<Store> store_ = Store::open(scratch_ / "v.db").value();
};

const std::vector<std::string> kAll = {"align.persona", "measure.before", "measure.after", "gap.change"};

TEST_F(StudyRun, WhatIsMissingIsToldBeforeAnythingRuns) {
  const std::string text = R"(
id = "missing"
title = "Missing"
[subject.base]
model = "{model}"
[measure.first]
instrument = "svo"
subject = "base"
settings = { labels = "letters" }
[align.trained]
method = "dpo"
subject = "base"
settings = { data = "{folder}/pairs.jsonl" }
)";
  const auto folder = scratch_.path().string();
  const auto of = [&](const std::string& model) {
    return parse_study(replace_all(replace_all(text, "{folder}", folder), "{model}", model), "missing.toml").value();
  };
  EXPECT_EQ(of("tiny.gguf").find("align.trained")->ready().error().message,
            fmt::format("data: there is no file {}/pairs.jsonl", folder));
  const auto plan = run_study(of("scripted:ideal"), *store_, {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUsage);
  EXPECT_EQ(plan.error().message,
            "align.trained: scripted:ideal is simulated and has no weights to train; name a model (valence model list)");
  EXPECT_TRUE(store_->runs()->empty());
}

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

TEST_F(StudyRun, ChangedMeasurementsLeaveTheAlignmentAlone) {
  run(study());
  EXPECT_EQ(run(study("\nsettings = { labels = \"letters\" }", "\nsettings = { labels = \"digits\" }")),
            (std::vector<std::string>{"measure.before", "measure.after", "gap.change"}));
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
  EXPECT_EQ(before.untimed(), 4U);
  EXPECT_FALSE(before.seconds());
  run(trial);
  const auto elsewhere = plan_study(trial, nullptr).value();
  EXPECT_EQ(elsewhere.to_run(), 4U);
  EXPECT_TRUE(elsewhere.seconds()) << "times are the machine's, not a store's";
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

// Four questions whose differences are not alike, so that an interval depends on the replicates drawn.
TEST_F(StudyRun, AChangeIsShownWithTheIntervalsThatItsOwnSeedFiled) {
  const auto items = (scratch_ / "items.csv").string();
  testing::put_file(
      items,
      "id,family,question,right,wrong_1,wrong_2,wrong_3\nn1,numbers,Which number?,1,2,,\n"
      "n2,numbers,Which number?,1,2,3,\nn3,numbers,Which number?,1,2,3,4\nn4,numbers,Which number?,1,2,,\n");
  const auto settings = "settings = { format = \"letter\", wordings = 2, items = \"" + items + "\" }\n";
  const auto trial = parse_study(
      "id = \"seeds\"\ntitle = \"Seeds\"\n[subject.first]\nmodel = \"scripted:ideal\"\n[subject.second]\nmodel = "
      "\"scripted:random\"\n[measure.before]\ninstrument = \"capability\"\nsubject = \"first\"\n" +
          settings + "[measure.after]\ninstrument = \"capability\"\nsubject = \"second\"\n" + settings +
          "[change.one]\nbefore = \"before\"\nafter = \"after\"\nseed = 1\n"
          "[change.two]\nbefore = \"before\"\nafter = \"after\"\nseed = 2\n",
      "seeds.toml");
  ASSERT_TRUE(trial) << trial.error().message;
  run(*trial);
  const auto plan = plan_study(*trial, store_.get()).value();
  const auto report = gather_report(*trial, plan, *store_).value();
  ASSERT_EQ(report.changes.size(), 2U);
  std::vector<double> lows;
  for (const auto& change : report.changes) {
    const auto& shown = change.differences.at(0).estimate;
    const auto step =
        std::ranges::find_if(plan.steps, [&](const auto& s) { return s.step->full_name() == change.name; });
    const auto filed = parse_json(store_->run(*step->run)->profile, "change").value()["differences"][0];
    EXPECT_DOUBLE_EQ(shown.low, filed["low"].get<double>()) << change.name;
    EXPECT_DOUBLE_EQ(shown.high, filed["high"].get<double>()) << change.name;
    lows.push_back(shown.low);
  }
  EXPECT_NE(lows[0], lows[1]) << "the seeds make a difference here";
}

TEST_F(StudyRun, AGapOfOneMeasurementIsOnThePageAndInTheJson) {
  const auto trial = study("[report]",
                           "[gap.start]\nbefore = \"before\"\ntarget = \"prosocial\"\ndistances = "
                           "[\"angle_distance\"]\n[report]");
  run(trial);
  const auto plan = plan_study(trial, store_.get()).value();
  const auto report = gather_report(trial, plan, *store_).value();
  EXPECT_EQ(report.changes.size(), 1U);
  ASSERT_EQ(report.gaps.size(), 1U);
  EXPECT_TRUE(report.measurements.empty()) << "both stand in the change";
  const auto json = parse_json(study_json(report).value(), "study").value()["gaps"][0];
  EXPECT_EQ(json["step"], "gap.start");
  const auto& figure = json["figures"][0];
  EXPECT_EQ(figure["id"], "angle_distance.prosocial");
  const auto distance = figure["estimate"]["value"].get<double>();
  EXPECT_GT(distance, 5.0) << "half individualist, half prosocial";
  const auto page = study_html(report).value();
  EXPECT_THAT(page, HasSubstr("How far from a target"));
  EXPECT_THAT(page, HasSubstr("<td class=\"n\">" + significant(distance) + "</td>"));
  EXPECT_THAT(page, HasSubstr("how far from the centre")) << "what the distance cannot tell";
}

// Put in the survey's order, uniform answers are at Wasserstein .25 and 0 of the two questions, always the first option
// at .25 and .5.
TEST_F(StudyRun, ASurveysAnswersAreATargetOfGapsAndOfChoiceAlignment) {
  const auto file = (scratch_ / "us.json").string();
  testing::put_file(file,
                    R"({"kind": "distributions", "id": "us", "label": "answers of us", "group": "us", "ordered": true,
          "provenance": {"citation": "made up", "licence": "none"},
          "questions": [{"question": "Is it warm?", "options": ["yes", "no"], "share": [0.75, 0.25]},
                        {"question": "Is it cold?", "options": ["yes", "no"], "share": [0.5, 0.5]}]})");
  const std::string text = R"(
id = "survey"
title = "A survey"
[subject.even]
model = "scripted:random"
[subject.first]
model = "scripted:letter?label=A"
[target.us]
target = "{file}"
[measure.before]
instrument = "opinions"
subject = "even"
settings = { questions = "{file}", orders = "paper" }
[measure.after]
instrument = "opinions"
subject = "first"
settings = { questions = "{file}", orders = "paper" }
[gap.change]
before = "before"
after = "after"
target = "us"
)";
  const auto with = [&](const std::string& more) {
    return parse_study(replace_all(text + more, "{file}", file), "s.toml");
  };
  EXPECT_TRUE(
      with("[align.learn]\nmethod = \"choice\"\nsubject = \"even\"\ntarget = \"us\"\ninstrument = "
           "\"opinions\"\nasked = { questions = \"{file}\", item_part = \"training\" }\n"));
  EXPECT_THAT(with("[align.tell]\nmethod = \"in_context\"\nsubject = \"even\"\ntarget = \"us\"\ninstrument = "
                   "\"svo\"\n")
                  .error()
                  .message,
              HasSubstr("method in_context works towards scores; method = \"choice\" with instrument = \"opinions\""));
  EXPECT_THAT(with("[content.same]\nafter = \"after\"\ntarget = \"us\"\n").error().message,
              HasSubstr("shares of people, by which none is right"));
  EXPECT_THAT(with("distances = [\"l1\"]\n").error().message, HasSubstr("target us holds answer distributions"));
  const auto trial = with("");
  ASSERT_TRUE(trial) << trial.error().message;
  run(*trial);
  const auto report = gather_report(*trial, plan_study(*trial, store_.get()).value(), *store_).value();
  ASSERT_EQ(report.changes.size(), 1U);
  const auto gaps = parse_json(report.changes[0].gap, "gap").value()["gaps"];
  const auto found = std::find_if(gaps.begin(), gaps.end(), [](const Json& gap) { return gap["id"] == "wasserstein"; });
  ASSERT_TRUE(found != gaps.end());
  EXPECT_NEAR((*found)["first"]["value"].get<double>(), 0.125, 1e-9);
  EXPECT_NEAR((*found)["second"]["value"].get<double>(), 0.375, 1e-9);
  EXPECT_THAT(study_html(report).value(), HasSubstr("distance from answers of us"));
}

TEST_F(StudyRun, AStudyOfAMeasurementAloneShowsItsFiguresOnce) {
  const auto measured = [](const std::string& name) {
    return "[measure." + name + "]\ninstrument = \"svo\"\nsubject = \"base\"\nsettings = { labels = \"letters\" }\n";
  };
  const auto trial = parse_study("id = \"alone\"\ntitle = \"Alone\"\n[subject.base]\nmodel = \"scripted:ideal\"\n" +
                                     measured("first") + measured("again"),
                                 "alone.toml");
  ASSERT_TRUE(trial) << trial.error().message;
  run(*trial);
  const auto plan = plan_study(*trial, store_.get()).value();
  const auto report = gather_report(*trial, plan, *store_).value();
  ASSERT_EQ(report.measurements.size(), 1U) << "both names stand for one run";
  EXPECT_EQ(report.measurements[0].name, "measure.first");
  const auto angle = report.measurements[0].run.profile.find("angle")->estimate.value;
  const auto json = parse_json(study_json(report).value(), "study").value()["measurements"][0];
  EXPECT_EQ(json["entries"][0]["estimate"]["value"].get<double>(), angle);
  EXPECT_THAT(study_html(report).value(), HasSubstr("<td class=\"n\">" + significant(angle) + "</td>"));
}

// The held-out reward of the second step lies below that of the first, while the reward has risen.
TEST_F(StudyRun, ATurnIsLookedForWhereTheAlignmentDidNotLookItself) {
  const auto trial = study();
  run(trial);
  const auto plan = plan_study(trial, store_.get()).value();
  const auto align = std::ranges::find_if(plan.steps, [](const auto& s) { return s.step->kind() == "align"; });
  const auto id = *align->run;
  for (const auto& [step, reward, held_out] : {std::tuple{1, 0.2, 0.5}, std::tuple{2, 0.6, 0.1}}) {
    TrainingStep row;
    row.step = step;
    row.reward = reward;
    row.kl = 0.1 * step;
    row.others["held_out_reward"] = held_out;
    ASSERT_TRUE(store_->put_training_step(id, row));
  }
  const auto trace = [&] { return gather_report(trial, plan, *store_).value().traces.at(0); };
  EXPECT_FALSE(trace().tested);
  EXPECT_EQ(turning_point(trace()), std::optional<std::size_t>(0));
  const auto record = store_->run(id).value();
  auto filed = parse_json(record.profile, "align").value();
  filed["record"]["turn"] = nullptr;  // it looked, and found none
  ASSERT_TRUE(store_->finish(id, {record.instrument, {}, {}}, to_text(filed)));
  EXPECT_TRUE(trace().tested);
  EXPECT_FALSE(turning_point(trace()));
}

// Two rounds of four prompts, two responses to each; of every round the first response to three of them is shown.
TEST_F(StudyRun, WhatAnAlignmentDrewIsShownWithItsRewards) {
  const auto trial = study();
  run(trial);
  const auto plan = plan_study(trial, store_.get()).value();
  const auto align = std::ranges::find_if(plan.steps, [](const auto& s) { return s.step->kind() == "align"; });
  EXPECT_TRUE(gather_report(trial, plan, *store_)->alignments.at(0).drawn.empty());
  std::vector<AnswerRow> rows;
  for (int number = 0; number < 16; ++number) {
    AnswerRow response, reward;
    response.unit = reward.unit = fmt::format("p{}", number / 2 % 4);
    response.condition = reward.condition = fmt::format("round {}", number / 8 + 1);
    response.item = fmt::format("prompt {}", number / 2 % 4);
    response.text = fmt::format("text {}", number);
    response.route = Route::kSampled;
    reward.route = Route::kRead;
    reward.text = fmt::format("-0.{}", number + 10);
    rows.push_back(response);
    if (number != 2) rows.push_back(reward);
  }
  const auto record = store_->run(*align->run).value();
  ASSERT_TRUE(store_->finish(record.id, {record.instrument, rows, {}}, record.profile));
  const auto alignment = gather_report(trial, plan, *store_).value().alignments.at(0);
  EXPECT_EQ(alignment.run, record.id);
  EXPECT_TRUE(alignment.without_tax);
  std::vector<std::string> shown;
  for (const auto& one : alignment.drawn)
    shown.push_back(fmt::format("{}: {} to {}, {}", one.round, one.response, one.prompt, significant(one.reward)));
  EXPECT_EQ(shown, (std::vector<std::string>{
                       "round 1: text 0 to prompt 0, -0.100", "round 1: text 2 to prompt 1, –",
                       "round 1: text 4 to prompt 2, -0.140", "round 2: text 8 to prompt 0, -0.180",
                       "round 2: text 10 to prompt 1, -0.200", "round 2: text 12 to prompt 2, -0.220"}));
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
