// Mistakes that a newcomer made, and what the program says to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Mistakes : public ::testing::Test {
 protected:
  Outcome valence(const std::vector<std::string>& arguments) { return run(scratch_.path(), arguments); }
  void refused(const std::vector<std::string>& arguments, const std::string& message) {
    const auto outcome = valence(arguments);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(outcome.out, "");
  }

  Scratch scratch_;
};

TEST_F(Mistakes, NumbersThatAreNoneAreNamed) {
  refused({"measure", "svo", "--seed", "-1", "--model", "scripted:ideal"}, "valence: a seed is a whole number, 0 or more, not \"-1\"");
  refused({"runs", "-1"}, "a run is a whole number, 1 or more, not \"-1\"");
  refused({"gap", "svo_reachable", "1"}, "a run is a whole number, 1 or more, not \"svo_reachable\"");
}

TEST_F(Mistakes, AnUnknownOptionIsBlamedAndNotTheWordBehindIt) {
  refused({"report", "1", "--format", "html"}, "unknown option \"--format\" (valence report --help)");
}

TEST_F(Mistakes, WordsInTheWrongPlaceAreToldWhereToGo) {
  refused({"measure", "--model", "smollm2", "svo"}, "\"--model\" belongs after the whole command: valence measure svo --model");
  refused({"svo", "measure"}, "\"svo\" is an instrument: valence measure svo, or valence score svo");
}

TEST_F(Mistakes, AnUnknownCommandIsNamedWhateverStandsBeforeIt) {
  refused({"align", "dop"}, "unknown command \"dop\"; did you mean \"dpo\"? (valence align --help)");
  refused({"--store", "other.db", "align", "base_align"}, "unknown command \"base_align\"; did you mean \"base-align\"? (valence align --help)");
  refused({"-q", "study", "pln", "x.toml"}, "unknown command \"pln\"; did you mean \"plan\"? (valence study --help)");
  refused({"align", "--model", "smollm2", "in_contxt"}, "unknown command \"in_contxt\"; did you mean \"in-context\"?");
  refused({"align", "--modle", "smollm2"}, "unknown option \"--modle\"");
  refused({"align", "--model", "smollm2"}, "A subcommand is required (valence align --help)");
}

TEST_F(Mistakes, AnOptionWithAnUnderscoreIsKnownByItsHyphen) {
  refused({"measure", "hvae", "--model", "scripted:ideal", "--max_tokens", "8"}, "did you mean \"--max-tokens\"?");
}

TEST_F(Mistakes, AnOptimiserIsNoMethodOfItsOwn) {
  for (const auto& [word, optimiser] : std::vector<std::pair<std::string, std::string>>{
           {"grpo", "grpo"}, {"rloo", "rloo"}, {"ppo", "ppo"}, {"best_of_n", "best_of_n"}, {"best-of-n", "best_of_n"}, {"gpro", "grpo"}}) {
    refused({"--json", "align", word, "--model", "smollm2"}, "unknown command \"" + word + "\": " + optimiser +
                                                                 " is an optimiser of base-align and rlhf: valence align base-align --optimiser " + optimiser);
    const auto advised = valence({"align", "base-align", "--model", "smollm2", "--target", "nowhere", "--optimiser", optimiser});
    EXPECT_THAT(advised.err, HasSubstr("unknown target \"nowhere\"")) << "the setting is taken, and only the target is wrong";
  }
  refused({"align", "base-align", "--model", "smollm2", "--target", "nowhere", "--optimiser", "gd"}, "\"optimiser\" should be one of");
}

TEST_F(Mistakes, AMisspeltSettingLeavesNoRunBehind) {
  refused({"measure", "hvae", "--model", "scripted:ideal", "--values", "altruist"}, "did you mean \"altruistic\"?");
  EXPECT_EQ(nlohmann::json::parse(valence({"runs", "--json"}).out)["runs"].size(), 0u);
}

TEST_F(Mistakes, AnEmptyPersonaIsRefused) {
  refused({"measure", "svo", "--model", "scripted:ideal", "--persona", " "}, "--persona is empty: leave it out to examine the model as it is");
}

TEST_F(Mistakes, MeasuringAFinishedRunAgainSaysSo) {
  const std::vector<std::string> command = {"measure", "svo", "--model", "scripted:ideal"};
  ASSERT_EQ(valence(command).status, 0);
  EXPECT_THAT(valence(command).err, HasSubstr("run 1 measured exactly this before; measuring it anew (--reuse takes what is the same)"));
  auto reusing = command;
  reusing.push_back("--reuse");
  EXPECT_THAT(valence(reusing).err, Not(HasSubstr("measured exactly this before")));
}

TEST_F(Mistakes, ARunIsShownInWordsAndAsJsonOnlyWhenAsked) {
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal", "--seed", "7"}).status, 0);
  const auto words = valence({"runs", "1"}).out;
  EXPECT_THAT(words, HasSubstr("Run 1: svo of scripted:ideal, finished"));
  EXPECT_THAT(words, HasSubstr("groups computed"));
  EXPECT_THAT(words, Not(HasSubstr("\"provenance\"")));
  EXPECT_EQ(nlohmann::json::parse(valence({"runs", "1", "--json"}).out)["provenance"]["seed"], 7);
}

TEST_F(Mistakes, ARunIsNotComparedWithItself) {
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal"}).status, 0);
  refused({"compare", "1", "1"}, "run 1 is compared with itself: name two runs (valence runs)");
}

TEST_F(Mistakes, TwoPersonasHaveTwoNamesAndTwoReports) {
  for (const std::string persona : {"You are kind.", "You are cruel."}) {
    ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal", "--persona", persona}).status, 0);
  }
  const auto list = valence({"runs"}).out;
  EXPECT_THAT(list, HasSubstr("scripted:ideal as \"You are kind.\""));
  EXPECT_THAT(list, HasSubstr("scripted:ideal as \"You are cruel.\""));
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "out/svo-scripted-ideal-as-You-are-kind.-1.html"));
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "out/svo-scripted-ideal-as-You-are-cruel.-2.html"));
}

TEST_F(Mistakes, TheListOfRunsSaysWhatWasUnusual) {
  ASSERT_EQ(valence({"measure", "hvae", "--model", "scripted:ideal", "--dialogues", "3", "--seed", "7"}).status, 0);
  EXPECT_THAT(valence({"runs"}).out, HasSubstr("seed 7, dialogues 3"));
}

TEST_F(Mistakes, ExportedAnswersKeepTheirGate) {
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:letter?label=A"}).status, 0);
  ASSERT_EQ(valence({"export", "1", "--format", "csv", "--out", "a.csv"}).status, 0);
  EXPECT_THAT(valence({"score", "svo", "--answers", "a.csv"}).out, HasSubstr("NOT INTERPRETABLE"));
}

TEST_F(Mistakes, AHandfulOfUnitsIsCalledATry) {
  const std::vector<std::string> few = {"measure", "svo", "--model", "scripted:ideal", "--labels", "letters", "--wordings", "2"};
  EXPECT_THAT(valence(few).out, HasSubstr("n = 2: enough for a try, too few to report"));
  EXPECT_THAT(valence({"measure", "svo", "--model", "scripted:ideal"}).out, Not(HasSubstr("too few to report")));
}

TEST_F(Mistakes, ASimulatedSubjectIsNotTakenForAModel) {
  EXPECT_THAT(valence({"measure", "svo", "--model", "scripted:ideal", "--persona", "You put others first."}).out,
              HasSubstr("simulated: acts on the value that the conversation names, without error. Its figures show"));
}

TEST_F(Mistakes, AnExportIsNamedAndItsEndingChoosesTheFormat) {
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal"}).status, 0);
  EXPECT_THAT(valence({"export", "1", "--out", "a.csv"}).out, HasSubstr("answers: a.csv ("));
  EXPECT_EQ(content_of(scratch_ / "a.csv").substr(0, 4), valence({"export", "1", "--format", "csv"}).out.substr(0, 4));
  refused({"export", "1", "--out", "a.xlsx"}, "--out a.xlsx: answers are written as .jsonl or .csv");
  EXPECT_EQ(valence({"export", "1", "--out", "a.xlsx", "--format", "csv"}).status, 0);
}

TEST_F(Mistakes, ReportsStandBesideTheirStore) {
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal", "--store", "other/t.db"}).status, 0);
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "other/out/svo-scripted-ideal-t-1.html"));
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal", "--store", "other/u.db"}).status, 0);
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "other/out/svo-scripted-ideal-u-1.html")) << "of another store in the same folder";
}

TEST_F(Mistakes, AStraightLineIsNoProfile) {
  std::string fours;
  for (int i = 0; i < 40; ++i) fours += "4 ";
  EXPECT_THAT(valence({"score", "questionnaire", "--answers", fours}).out, HasSubstr("NOT INTERPRETABLE: spread of the answers over items"));
  const auto measured = valence({"measure", "questionnaire", "--model", "scripted:ideal"}).out;  // agrees with every item alike
  EXPECT_THAT(measured, HasSubstr("NOT INTERPRETABLE: spread of the answers over items"));
  EXPECT_THAT(measured, Not(HasSubstr("e-1")));  // rounding is printed as 0
}

TEST_F(Mistakes, LettersMayBePartedBySpaces) {
  EXPECT_EQ(valence({"score", "svo", "--answers", "A I A A I I"}).out, valence({"score", "svo", "--answers", "AIAAII"}).out);
  EXPECT_THAT(valence({"score", "svo", "--answers", "AIAAII"}).out, HasSubstr("altruistic, consistent (transitive)"));
}

TEST_F(Mistakes, OneRunIsMeasuredByOneProcessAtATime) {
  const std::vector<std::string> command = {"measure", "moralchoice", "--model", "scripted:noisy?lapse=0.2"};
  const Scratch elsewhere;  // its outputs would be written over
  const auto store = (scratch_ / "shared.db").string();
  auto shared = command;
  shared.insert(shared.end(), {"--store", store});
  const auto first = start(elsewhere.path(), shared);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto second = valence(shared);
  const auto ended = wait_for(first, elsewhere.path());
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(second.status, 2);
  EXPECT_THAT(second.err, HasSubstr("another process is measuring this with the same settings into"));
}

TEST_F(Mistakes, AReportOfTwoSubjectsComparesThem) {
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal"}).status, 0);
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:noisy?lapse=0.5"}).status, 0);
  ASSERT_EQ(valence({"report", "1", "2"}).status, 0);
  const auto page = content_of(scratch_ / "out/report.html");
  EXPECT_THAT(page, HasSubstr("scripted:ideal, scripted:noisy?lapse=0.5</title>"));
  EXPECT_THAT(page, HasSubstr("<th class=\"n\">p (Holm)</th>"));
}

}  // namespace
}  // namespace valence::testing
