// The whole chain on simulated subjects: measuring, resuming, comparing, reporting.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "program.h"
#include "valence/base/text.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

std::string exported(const Scratch& scratch, const std::string& run_number) {
  return run(scratch.path(), {"export", run_number, "--format", "csv"}).out;
}

TEST(Measure, LeavesAReportAndAnExport) {
  const Scratch scratch;
  const auto outcome = run(scratch.path(), {"measure", "hvae", "--model", "scripted:noisy?lapse=0.2", "--dialogues", "5"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("report: out/hvae-scripted-noisy-lapse-0.2-1.html"));
  EXPECT_THAT(content_of(scratch / "out/hvae-scripted-noisy-lapse-0.2-1.html"), HasSubstr("simulated subject of known truth"));
  EXPECT_THAT(exported(scratch, "1"), HasSubstr("altruistic"));
}

TEST(Measure, SameCommandInTwoStoresGivesTheSameAnswers) {
  const Scratch first, second;
  for (const auto* scratch : {&first, &second}) {
    ASSERT_EQ(run(scratch->path(), {"measure", "hvae", "--model", "scripted:noisy?lapse=0.2", "--dialogues", "3"}).status, 0);
  }
  EXPECT_EQ(exported(first, "1"), exported(second, "1"));
}

TEST(Measure, PositionBiasedSubjectIsNotInterpretable) {
  const Scratch scratch;
  const auto outcome = run(scratch.path(), {"measure", "svo", "--model", "scripted:letter?label=A", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_FALSE(nlohmann::json::parse(outcome.out)["validity"]["interpretable"].get<bool>());
}

TEST(Measure, TypedSubjectWithLapsesIsInterpretable) {
  const Scratch scratch;
  const auto outcome = run(scratch.path(), {"measure", "hvae", "--model", "scripted:noisy?lapse=0.2", "--dialogues", "10", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_TRUE(json["validity"]["interpretable"].get<bool>()) << json["validity"];
}

TEST(Measure, KilledRunGoesOnAndEndsTheSame) {
  const Scratch whole, killed;
  const std::vector<std::string> command = {"measure", "moralchoice", "--model", "scripted:noisy?lapse=0.2"};
  ASSERT_EQ(run(whole.path(), command).status, 0);
  const auto child = start(killed.path(), command);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  ::kill(child, SIGKILL);
  wait_for(child, killed.path());
  const auto early = run(killed.path(), {"export", "1"});  // its answers are not there yet, which an empty file would hide
  EXPECT_EQ(early.status, 2);
  EXPECT_THAT(early.err, HasSubstr("not finished: "));
  const auto again = run(killed.path(), command);
  ASSERT_EQ(again.status, 0);
  EXPECT_THAT(again.err, HasSubstr("going on with run 1: groups of questions kept: "));
  EXPECT_EQ(exported(whole, "1"), exported(killed, "1"));
}

TEST(Compare, NoisierSubjectDiffersFromTheIdealOne) {
  const Scratch scratch;
  ASSERT_EQ(run(scratch.path(), {"measure", "hvae", "--model", "scripted:ideal", "--dialogues", "10"}).status, 0);
  ASSERT_EQ(run(scratch.path(), {"measure", "hvae", "--model", "scripted:noisy?lapse=0.5", "--dialogues", "10"}).status, 0);
  const auto outcome = run(scratch.path(), {"compare", "1", "2", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(run(scratch.path(), {"compare", "1", "2"}).out, ::testing::Not(HasSubstr("too few to report")));
  const auto json = nlohmann::json::parse(outcome.out);
  const auto& differences = json["differences"];
  const auto angle = std::find_if(differences.begin(), differences.end(), [](const auto& d) { return d["id"] == "altruistic.angle"; });
  ASSERT_NE(angle, differences.end());
  EXPECT_NEAR((*angle)["value"].template get<double>(), 44.5 - 61.39, 0.1);  // a half-random altruist scores 44.5
  EXPECT_TRUE((*angle)["paired"].template get<bool>());
}

TEST(Report, SeveralRunsShareAPageInThreeFormats) {
  const Scratch scratch;
  ASSERT_EQ(run(scratch.path(), {"measure", "svo", "--model", "scripted:ideal"}).status, 0);
  ASSERT_EQ(run(scratch.path(), {"measure", "svo", "--model", "scripted:random"}).status, 0);
  for (const std::string name : {"both.html", "both.md", "both.json"}) {
    const auto outcome = run(scratch.path(), {"report", "1", "2", "--out", name});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(content_of(scratch / name), HasSubstr("scripted:random"));
  }
}

TEST(Report, DifferencesOfTwoSubjectsAreDrawnWithTheFiguresThatCompareGives) {
  const Scratch scratch;
  ASSERT_EQ(run(scratch.path(), {"measure", "hvae", "--model", "scripted:ideal", "--dialogues", "3"}).status, 0);
  ASSERT_EQ(run(scratch.path(), {"measure", "hvae", "--model", "scripted:noisy?lapse=0.5", "--dialogues", "3"}).status, 0);
  ASSERT_EQ(run(scratch.path(), {"report", "1", "2", "--out", "both.html"}).status, 0);
  const auto page = content_of(scratch / "both.html");
  EXPECT_THAT(page, HasSubstr(">no difference</text>"));
  EXPECT_THAT(page, HasSubstr("n = 3: enough for a try, too few to report."));
  const auto compared = nlohmann::json::parse(run(scratch.path(), {"compare", "1", "2", "--json"}).out);
  std::size_t drawn = 0;
  for (const auto& difference : compared["differences"]) {
    if (!difference["id"].get<std::string>().ends_with(".angle")) continue;
    const auto number = [&](const char* key) { return significant(difference[key].get<double>()); };
    EXPECT_THAT(page, HasSubstr(fmt::format(">{} [{}, {}]</text>", number("value"), number("low"), number("high")))) << difference["id"];
    ++drawn;
  }
  EXPECT_EQ(drawn, 5u);
}

}  // namespace
}  // namespace valence::testing
