#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_study.h"
#include "support/scratch.h"
#include "valence/study/study.h"
#include "valence/values/target.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::study_of;

/// The sample with one line replaced by another.
std::string with(const std::string& from, const std::string& to) {
  const auto text = study_of("out/trial.html");
  EXPECT_NE(text.find(from), std::string::npos) << from;
  return replace_all(text, from, to);
}

std::string message_of(const std::string& toml) {
  const auto study = parse_study(toml, "trial.toml");
  EXPECT_FALSE(study);
  if (study) return "";
  EXPECT_EQ(study.error().code, ErrorCode::kUsage);
  return study.error().message;
}

TEST(StudyFile, StepsStandAfterThoseThatTheyNeed) {
  const auto study = parse_study(study_of("out/trial.html"), "trial.toml");
  ASSERT_TRUE(study) << study.error().message;
  std::vector<std::string> seen;
  for (const auto& step : study->steps) {
    for (const auto& need : step->needs())
      EXPECT_NE(std::find(seen.begin(), seen.end(), need), seen.end()) << step->full_name() << " before " << need;
    seen.push_back(step->full_name());
  }
  EXPECT_EQ(seen.size(), 6U);
  EXPECT_EQ(study->find("gap.change")->needs(),
            (std::vector<std::string>{"measure.before", "measure.after", "target.prosocial"}));
}

/// A target file such as `valence target ask` leaves, which shipped studies name.
void put_target(const std::filesystem::path& file, ScoreScale scale, double middle) {
  auto target = load_target("ess11_fr").value();
  target.scale = scale;
  target.intervals.clear();
  target.spreads.clear();
  for (auto& [dimension, value] : target.values) value += middle;
  testing::put_file(file, to_toml(target));
}

TEST(StudyFile, ShippedStudiesAreRead) {
  const testing::Scratch folder;
  put_target(folder / "me.toml", ScoreScale::kCentred, 0.0);
  put_target(folder / "me_raw.toml", ScoreScale::kRaw, 3.5);
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(VALENCE_SOURCE) / "studies")) {
    const auto text = replace_all(testing::content_of(entry.path()), "\"me", "\"" + (folder / "me").string());
    const auto study = parse_study(text, entry.path().string());
    EXPECT_TRUE(study) << (study ? "" : study.error().message);
  }
}

TEST(StudyFile, AnUnknownKeyNamesItsPlaceAndTheNearest) {
  EXPECT_EQ(message_of("titel = \"x\"\n"), "trial.toml:1:9: unknown key \"titel\"; did you mean \"title\"?");
  EXPECT_THAT(message_of(with("subject = \"persona\"", "subjekt = \"persona\"")),
              HasSubstr("unknown key \"measure.after.subjekt\"; did you mean \"subject\"?"));
}

TEST(StudyFile, AnUnknownInstrumentNamesItsPlaceAndTheNearest) {
  const auto message =
      message_of(with("instrument = \"svo\"\nsubject = \"persona\"", "instrument = \"sov\"\nsubject = \"persona\""));
  EXPECT_EQ(message, "trial.toml:26:14: unknown instrument \"sov\"; did you mean \"svo\"? (valence instrument list)");
}

TEST(StudyFile, AnUnknownSubjectNamesItsPlaceAndTheNearest) {
  EXPECT_THAT(message_of(with("subject = \"persona\"", "subject = \"persno\"")),
              HasSubstr("no subject or align is called \"persno\"; did you mean \"persona\"?"));
}

TEST(StudyFile, AnUnknownMeasurementIsNamed) {
  EXPECT_THAT(message_of(with("after = \"after\"", "after = \"later\"")),
              HasSubstr("no measure is called \"later\"; there are: after, before"));
}

TEST(StudyFile, MeasurementsThatAreAskedDifferentlyAreNoBeforeAndAfter) {
  EXPECT_THAT(message_of(with("after = \"after\"", "after = \"before\"")),
              HasSubstr("measure.before is held against itself"));
  auto other = with("[measure.after]", "[measure.after]\nseed = 9");
  EXPECT_THAT(
      message_of(other),
      HasSubstr("measure.before and measure.after are asked differently (seed = 0 and 9), so that a change could be "
                "that of the questions; give both the same settings"));
}

TEST(StudyFile, DriftIsOfTheBaseAndTheAlignedSubject) {
  const auto tax = [](const std::string& lines) {
    return study_of("out/trial.html") + "\n[tax.cost]\nbase = \"base\"\n" + lines + "\n";
  };
  EXPECT_THAT(
      message_of(tax("aligned = \"persona\"\ndrift = [[\"after\", \"before\"]]")),
      HasSubstr(
          "measure.after is not of subject.base: a pair of drift measures first the base, then the aligned subject"));
  EXPECT_THAT(message_of(tax("aligned = \"base\"")), HasSubstr("subject.base is held against itself"));
  EXPECT_TRUE(parse_study(tax("aligned = \"persona\"\ndrift = [[\"before\", \"after\"]]"), "trial.toml"));
}

TEST(StudyFile, ASimulatedSubjectHasNoWeightsToTrain) {
  const auto study = parse_study(
      "id = \"x\"\ntitle = \"x\"\n[subject.base]\nmodel = \"scripted:ideal\"\n[align.trained]\nmethod = "
      "\"choice\"\nsubject = \"base\"\ninstrument = \"svo\"\nsettings = { toward = \"scripted:noisy\" }\n",
      "trial.toml");
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->find("align.trained")->ready().error().message,
            "scripted:ideal is simulated and has no weights to train; name a model (valence model list)");
}

TEST(StudyFile, AnUnknownTargetOrDimensionIsNamed) {
  EXPECT_THAT(message_of(with("target = \"svo_reachable\"", "target = \"svo_reachble\"")), HasSubstr("svo_reachable"));
  EXPECT_THAT(message_of(with("dimensions = [\"prosocial\"]", "dimensions = [\"prosocail\"]")),
              HasSubstr("target svo_reachable has no value for \"prosocail\"; did you mean \"prosocial\"?"));
}

TEST(StudyFile, AnUnknownMethodNamesItsPlace) {
  EXPECT_THAT(message_of(with("method = \"in_context\"", "method = \"incontext\"")),
              HasSubstr(":13:10: unknown aligner \"incontext\"; did you mean \"in_context\"?"));
}

TEST(StudyFile, ASettingOutOfRangeIsRefused) {
  EXPECT_THAT(message_of(with("prompt_wordings = 1", "prompt_wordings = 1000")),
              HasSubstr("setting \"prompt_wordings\" should be a whole number from 0 to 100"));
}

TEST(StudyFile, AMeasurementInAnotherSpaceThanTheTargetIsRefused) {
  auto text = with("instrument = \"svo\"\nsubject = \"base\"\nsettings",
                   "instrument = \"questionnaire\"\nsubject = \"base\"\nsettings");
  text = replace_all(text, "settings = { labels = \"letters\" }\n\n[measure.after]", "\n[measure.after]");
  EXPECT_THAT(message_of(text),
              HasSubstr("measure.before measures in the space schwartz10, the target lives in svo_ring"));
}

TEST(StudyFile, AnAlignmentMayNotBeCalledLikeASubject) {
  EXPECT_THAT(message_of(with("[align.persona]", "[align.base]")),
              HasSubstr("\"base\" is also a subject; give the alignment a name of its own"));
}

TEST(StudyFile, ItemsAreAllOrHeldOut) {
  EXPECT_THAT(message_of(with("subject = \"persona\"", "subject = \"persona\"\nitems = \"some\"")),
              HasSubstr("\"items\" should be all or held_out, got \"some\""));
  EXPECT_TRUE(parse_study(with("\nsettings = { labels", "\nitems = \"held_out\"\nsettings = { labels"), "t.toml"));
}

TEST(StudyFile, AStudyWithNothingToRunIsRefused) {
  EXPECT_EQ(message_of("id = \"x\"\ntitle = \"x\"\n"),
            "trial.toml: the study has nothing to run; write a [measure.NAME]");
}

TEST(StudyFile, TheIdIsPlain) {
  EXPECT_THAT(message_of(with("id = \"trial\"", "id = \"A trial/\"")),
              HasSubstr("\"id\" should be small letters, digits, - and _"));
}

TEST(StudyFile, TheNameOfAStepIsPlainTooSinceItsFolderIsCalledAfterIt) {
  EXPECT_EQ(message_of(with("[align.persona]", "[align.\"x/../../../y\"]")),
            "trial.toml:12:1: the name of [align.NAME] should be small letters, digits, - and _, got \"x/../../../y\"");
  EXPECT_THAT(message_of(with("[measure.before]", "[measure.\"\"]")),
              HasSubstr("the name of [measure.NAME] should be small letters, digits, - and _, got \"\""));
}

TEST(StudyFile, AnUnknownDistanceOfARingNamesItsPlaceAndTheNearest) {
  const std::string asked = "distances = [\"angle_distance\"]";
  EXPECT_EQ(message_of(with(asked, "distances = [\"angle_distanse\"]")),
            "trial.toml:34:14: unknown distance \"angle_distanse\" of angles; did you mean \"angle_distance\"?");
  EXPECT_THAT(message_of(with(asked, "distances = [\"angle_distance\", \"l2\"]")),
              HasSubstr("unknown distance \"l2\" of angles; expected one of angle_distance, value_rationality"));
  EXPECT_TRUE(parse_study(with(asked, "distances = [\"value_rationality\"]"), "t.toml"));
}

TEST(StudyFile, ValueRationalityNeedsATargetThatSaysWhatAnswersReach) {
  const testing::Scratch folder;
  testing::put_file(
      folder / "own.toml",
      "id = \"own\"\nspace = \"svo_ring\"\nlabel = \"own\"\n[provenance]\ncitation = \"c\"\nlicence = \"l\"\n"
      "[values]\naltruistic = 60.0\nprosocial = 45.0\nindividualistic = 0.0\ncompetitive = -16.0\n");
  const auto text = replace_all(with("[\"angle_distance\"]", "[\"value_rationality\"]"), "svo_reachable",
                                (folder / "own.toml").string());
  EXPECT_THAT(
      message_of(text),
      HasSubstr(
          ":34:14: distance \"value_rationality\": target own names no reachable range; write \"angle_distance\""));
}

TEST(StudyFile, ADistanceOfOtherScoresIsRefusedBeforeAnythingRuns) {
  const auto gap = [](const std::string& distances) {
    return study_of("out/trial.html") +
           "\n[target.france]\ntarget = \"ess11_fr\"\n[measure.says]\ninstrument = \"questionnaire\"\nsubject = "
           "\"base\"\n[gap.says]\nbefore = \"says\"\ntarget = \"france\"\ndistances = " +
           distances + "\n";
  };
  EXPECT_TRUE(parse_study(gap("[\"l2\", \"cosine\"]"), "t.toml"));
  EXPECT_THAT(message_of(gap("[\"l2\", \"fulcra_l1\"]")),
              HasSubstr("distance \"fulcra_l1\" is for unit scores, target ess11_fr is given as centred ones"));
  EXPECT_THAT(message_of(gap("[\"kendal\"]")), HasSubstr("unknown distance \"kendal\"; did you mean \"kendall\"?"));
}

TEST(StudyFile, TheReportIsHtml) {
  EXPECT_THAT(message_of(with("out/trial.html", "out/trial.pdf")),
              HasSubstr("the report of a study ends in .html, not \"out/trial.pdf\""));
}

TEST(StudyFile, ADriftPairNamesTwoMeasurements) {
  const auto text =
      study_of("out/trial.html") + "\n[tax.cost]\nbase = \"base\"\naligned = \"persona\"\ndrift = [[\"before\"]]\n";
  EXPECT_THAT(message_of(text), HasSubstr("a pair of drift names two measurements: [\"before\", \"after\"]"));
}

/// The sample with a reward model, and further tables.
std::string with_reward_model(const std::string& tables) {
  return study_of("out/trial.html") +
         "\n[align.liked]\nmethod = \"reward\"\nsubject = \"base\"\nsettings = { data = \"pairs.jsonl\" }\n" + tables;
}

TEST(StudyFile, ARewardModelIsNamedByItsStepOrByItsFolder) {
  const auto needs = [](const std::string& settings) {
    const auto study = parse_study(
        with_reward_model("[align.tuned]\nmethod = \"rlhf\"\nsubject = \"base\"\nsettings = { " + settings + " }\n"),
        "trial.toml");
    EXPECT_TRUE(study) << (study ? "" : study.error().message);
    return study ? study->find("align.tuned")->needs() : std::vector<std::string>();
  };
  EXPECT_EQ(needs("reward = \"liked\""), (std::vector<std::string>{"subject.base", "align.liked"}));
  EXPECT_EQ(needs("reward = \"out/a\", watch = \"out/b, liked\""),
            (std::vector<std::string>{"subject.base", "align.liked"}));
  EXPECT_EQ(needs("reward = \"out/a\""), (std::vector<std::string>{"subject.base"}));
}

TEST(StudyFile, AnAlignmentThatLeavesASubjectGivesNoReward) {
  EXPECT_THAT(message_of(study_of("out/trial.html") + "\n[align.tuned]\nmethod = \"rlhf\"\nsubject = \"base\"\n"
                                                      "settings = { reward = \"persona\" }\n"),
              HasSubstr("\"reward\": align.persona leaves a subject, not a reward model; name an alignment of method "
                        "\"reward\", or a folder of valence align reward"));
}

TEST(StudyFile, ARewardModelIsNobodyToBeMeasuredOrAlignedFurther) {
  for (const std::string table :
       {"[measure.m]\ninstrument = \"svo\"\nsubject = \"liked\"\n", "[tax.t]\nbase = \"base\"\naligned = \"liked\"\n",
        "[align.more]\nmethod = \"sft\"\nsubject = \"liked\"\nsettings = { data = \"talk.jsonl\" }\n"}) {
    EXPECT_THAT(message_of(with_reward_model(table)),
                HasSubstr("align.liked is a reward model: it rates answers and is no subject; method \"rlhf\" names it "
                          "as its reward"))
        << table;
  }
}

/// Names of the alignments of the sample with further tables that no tax holds against their beginning.
std::vector<std::string> without_tax(const std::string& tables) {
  const auto study = parse_study(with_reward_model(tables), "trial.toml");
  EXPECT_TRUE(study) << (study ? "" : study.error().message);
  return study ? alignments_without_tax(*study) : std::vector<std::string>();
}

TEST(StudyFile, AlignmentsWhoseCostNobodyMeasuresAreNamed) {
  const std::string more = "[align.more]\nmethod = \"sft\"\nsubject = \"persona\"\nsettings = { data = \"t.jsonl\" }\n";
  const auto tax = [](const std::string& base, const std::string& aligned) {
    return "[tax.of_" + aligned + "]\nbase = \"" + base + "\"\naligned = \"" + aligned + "\"\n";
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(without_tax(""), Names{"align.persona"}) << "a reward model is no subject";
  EXPECT_EQ(without_tax(tax("base", "persona")), Names{});
  EXPECT_EQ(without_tax(more + tax("base", "more")), Names{}) << "both in a row";
  EXPECT_EQ(without_tax(more + tax("persona", "more")), Names{"align.persona"});
  EXPECT_EQ(without_tax(more + tax("more", "persona")), (Names{"align.persona", "align.more"}))
      << "persona did not begin with more";
}

std::string aligning(const std::string& keys) {
  return study_of("out/trial.html") +
         "\n[target.france]\ntarget = \"ess11_fr\"\n\n[align.trained]\nsubject = \"base\"\n" + keys;
}

TEST(StudyFile, ATargetThatTheItemsCannotExpressIsRefusedWhereItIsNamed) {
  EXPECT_THAT(message_of(aligning("method = \"choice\"\ntarget = \"france\"\ninstrument = \"svo\"\n")),
              HasSubstr("cannot answer for target ess11_fr, which lives in schwartz10"));
  EXPECT_TRUE(
      parse_study(aligning("method = \"choice\"\ntarget = \"france\"\ninstrument = \"questionnaire\"\n"), "t.toml"));
  EXPECT_THAT(message_of(aligning("method = \"choice\"\ninstrument = \"svo\"\n")),
              HasSubstr("choice: say whose answers are learned"));
}

TEST(StudyFile, TrainingOnAFileNeedsOne) {
  EXPECT_THAT(message_of(aligning("method = \"dpo\"\n")),
              HasSubstr("dpo: name the file to learn from: settings = { data = \"pairs.jsonl\" }"));
  EXPECT_TRUE(parse_study(aligning("method = \"dpo\"\nsettings = { data = \"p.jsonl\" }\n"), "t.toml"));
}

TEST(StudyFile, AContentTestNeedsATargetThatTheItemsCanExpress) {
  const auto content = [](const std::string& target) {
    return study_of("out/trial.html") +
           "\n[target.france]\ntarget = \"ess11_fr\"\n\n[content.c]\nafter = \"after\"\ntarget = \"" + target + "\"\n";
  };
  EXPECT_TRUE(parse_study(content("prosocial"), "t.toml"));
  EXPECT_THAT(message_of(content("france")), HasSubstr("cannot answer for target ess11_fr"));
}

TEST(StudyFile, SayingAndDoingAreRunsOfTheirOwnInstruments) {
  EXPECT_THAT(message_of(study_of("out/trial.html") + "\n[saydo.s]\nsays = \"before\"\ndoes = \"after\"\n"),
              HasSubstr("says should be a run of questionnaire, measure.before is one of svo"));
}

TEST(StudyFile, ANegativeSeedIsRefused) {
  EXPECT_THAT(message_of("seed = -1\n" + study_of("out/x.html")), HasSubstr("\"seed\" should be 0 or more, got -1"));
}

}  // namespace
}  // namespace valence
