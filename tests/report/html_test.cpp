#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "report/markup.h"
#include "report/sample_runs.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence {
namespace {

using namespace valence::testing;

std::string page_of(const std::vector<ReportRun>& runs, const ReportOptions& options = {}) {
  auto page = html_report(runs, options);
  EXPECT_TRUE(page) << (page ? "" : page.error().message);
  return page.value_or("");
}

TEST(HtmlReport, EveryTagIsClosedWhereItShouldBe) {
  EXPECT_EQ(unbalanced(markup_of(page_of(sample_runs()))), "");
  EXPECT_EQ(unbalanced("<p><b></p>"), "/p") << "the check itself can fail";
}

TEST(HtmlReport, IdsAreUniqueAndEveryPictureIsNamed) {
  const auto page = page_of(sample_runs());
  const auto ids = all_of(page, " id=\"([^\"]*)\"");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  const auto titles = all_of(page, "aria-labelledby=\"([^ \"]*) [^\"]*\"");
  EXPECT_EQ(titles.size(), count_of(page, "<svg "));
  for (const auto& title : titles) EXPECT_TRUE(contains(ids, title)) << title;
}

TEST(HtmlReport, NeedsNothingFromTheNetwork) {
  const auto page = page_of(sample_runs());
  for (const auto& address : all_of(page, "(?:href|src)=\"([^\"]*)\"")) EXPECT_TRUE(address.starts_with("#")) << address;
  EXPECT_EQ(count_of(page, "url("), 0u);
  EXPECT_EQ(count_of(page, "@import"), 0u);
  EXPECT_EQ(count_of(page, "<link"), 0u);
}

TEST(HtmlReport, TextOfOthersStaysText) {
  const std::string bad = "<script>alert(1)</script>\"'&";
  auto run = hvae_run(1, bad, {10, 10, 10, 10, 10}, false, true);
  run.record.provenance = R"({"model":"<script>alert(1)</script>"})";
  for (auto& entry : run.profile.entries) entry.estimand.label = bad;
  for (auto& check : run.profile.validity.checks) check.label = check.advice = bad;
  for (auto* rows : {&run.answers.rows, &run.answers.probes}) {
    for (auto& row : *rows) row.text = row.unit = row.condition = row.item = row.variant = row.layout = bad;
  }
  const auto page = page_of({run}, {bad, bad});
  EXPECT_EQ(count_of(page, "<script>"), 1u) << "only the report's own";
  EXPECT_EQ(count_of(page, "alert(1)</script>"), 0u);
  EXPECT_EQ(unbalanced(markup_of(page)), "");
}

TEST(HtmlReport, PicturesTableAndJsonHoldTheSameFigures) {
  const auto runs = sample_runs();
  const auto page = page_of(runs);
  const auto texts = picture_texts(page);
  const auto json = json_report(runs, {});
  ASSERT_TRUE(json);
  const auto document = Json::parse(*json);
  std::size_t compared = 0;
  for (const auto& run : document["runs"]) {
    for (const auto& entry : run["entries"]) {
      if (!entry["headline"].get<bool>()) continue;
      const auto value = significant(entry["estimate"]["value"].get<double>());
      const auto interval = "[" + significant(entry["estimate"]["low"].get<double>()) + ", " + significant(entry["estimate"]["high"].get<double>()) + "]";
      EXPECT_TRUE(contains(texts, value + " " + interval)) << value << " " << interval;
      EXPECT_NE(page.find("<td class=\"n\">" + value + "</td><td class=\"n\">" + interval + "</td>"), std::string::npos) << value;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 2u * (5 + 10 + 10));
}

TEST(HtmlReport, BannerStandsInPlaceOfTheHeadlineWhenTheGateFailed) {
  const auto failed = page_of({hvae_run(1, "little", {24, 24, 23, 22, 23}, false, false)});
  EXPECT_EQ(count_of(failed, "class=\"banner\""), 1u);
  EXPECT_EQ(count_of(failed, "class=\"lead\""), 0u);
  EXPECT_NE(failed.find("Not interpretable: what little answered does not show its values (pull of the place, whatever stands there: 0.487, should be at most 0.250"), std::string::npos);
  EXPECT_LT(failed.find("class=\"banner\""), failed.find("<svg"));
  const auto passed = page_of({hvae_run(1, "big", {55, 41, 3, -11, 36}, false, true)});
  EXPECT_EQ(count_of(passed, "class=\"banner\""), 0u);
  EXPECT_EQ(count_of(passed, "class=\"lead\""), 1u);
}

TEST(HtmlReport, AdviceThatSeveralChecksShareIsGivenOnce) {
  const auto page = page_of({hvae_run(1, "little", {24, 24, 23, 22, 23}, false, false)});
  EXPECT_EQ(count_of(page, "<li>--format text, or a larger model</li>"), 1u);
}

TEST(HtmlReport, SimulatedSubjectIsSaidToBeOne) {
  const auto page = page_of({hvae_run(1, "scripted:x", {55, 41, 3, -11, 36}, true, true)});
  EXPECT_NE(page.find("scripted:x (a simulated subject of known truth): "), std::string::npos);
  EXPECT_NE(page.find("<span class=\"tag\">simulated subject of known truth</span>"), std::string::npos);
  EXPECT_TRUE(contains(picture_texts(page), "scripted:x (simulated, truth known)"));
}

TEST(HtmlReport, RingShowsEachUnitAsAFaintDot) {
  auto run = hvae_run(1, "little", {55, 41, 3, -11, 36}, false, true);
  run.units = {{"altruistic.angle", {50, 55, kNone}}, {"altruistic.entropy", {0.1, 0.2, 0.3}}};
  EXPECT_EQ(count_of(page_of({run}), "class=\"unit"), 2u);
}

TEST(HtmlReport, SingleAdministrationHasNoInterval) {
  auto run = hvae_run(1, "once", {55, 41, 3, -11, 36}, false, true, 1);
  run.profile.validity = {false, {}, "a single administration"};
  const auto page = page_of({run});
  EXPECT_EQ(count_of(page, "class=\"interval"), 0u);
  EXPECT_TRUE(contains(picture_texts(page), "55.0"));
  for (const auto& text : picture_texts(page)) EXPECT_EQ(text.find('['), std::string::npos) << text;
  EXPECT_NE(page.find("Validity was not assessed: a single administration."), std::string::npos);
}

TEST(HtmlReport, CircleStandsBesideRowsSortedByTheInterpretableSubject) {
  const auto page = page_of({pvq_run(5, "little", 0.4, false, false), pvq_run(6, "big", 1.0, true, true)});
  EXPECT_EQ(count_of(page, "id=\"circle-"), 2u) << "title and description";
  EXPECT_NE(page.find("Rows are sorted by the estimates of big."), std::string::npos);
  EXPECT_LT(page.find(">benevolence, centred</text>"), page.find(">power, centred</text>"));
}

TEST(HtmlReport, WhatIsNotInterpretableIsNotRanked) {
  const auto page = page_of({pvq_run(5, "little", 0.4, false, false)});
  EXPECT_NE(page.find("Rows are in the order of the theory: what is not interpretable is not ranked."), std::string::npos);
  EXPECT_LT(page.find(">stimulation, centred</text>"), page.find(">benevolence, centred</text>"));
}

TEST(HtmlReport, PositionPanelShowsEachLayoutAndTheBalancedFigure) {
  const auto page = page_of({moralchoice_run(3, "little", false, false)});
  const auto texts = picture_texts(page);
  EXPECT_TRUE(contains(texts, "paper, A–B"));
  EXPECT_TRUE(contains(texts, "reversed, A–B"));
  EXPECT_TRUE(contains(texts, "1: 0.985")) << "0.96 by place, 0.01 by content and half of the rest";
  EXPECT_TRUE(contains(texts, "1: 0.505")) << "balanced, by content";
  EXPECT_NE(page.find("The place alone moved 0.480 of the probability (0: none; 0.500: all)."), std::string::npos);
}

TEST(HtmlReport, LongTablesAreCutAndSaySo) {
  const auto page = page_of({hvae_run(7, "x", {55, 41, 3, -11, 36}, false, true)}, {"", "", 10});
  EXPECT_NE(page.find("The first 10 of 60 answers. All of them: valence export 7 --format csv</p>"), std::string::npos);
}

}  // namespace
}  // namespace valence
