#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/sample_runs.h"
#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using namespace valence::testing;

TEST(MarkdownReport, HoldsTheFiguresOfTheJson) {
  const auto runs = sample_runs();
  const auto markdown = markdown_report(runs, {});
  const auto json = json_report(runs, {});
  ASSERT_TRUE(markdown && json);
  const auto document = Json::parse(*json);
  ASSERT_EQ(document["runs"].size(), runs.size());
  for (const auto& run : document["runs"]) {
    for (const auto& entry : run["entries"]) {
      const auto& e = entry["estimate"];
      const auto row = "| " + significant(e["value"].get<double>()) + " | [" + significant(e["low"].get<double>()) + ", " + significant(e["high"].get<double>()) + "] |";
      EXPECT_NE(markdown->find(row), std::string::npos) << row;
    }
    EXPECT_NE(markdown->find(run["verdict"].get<std::string>()), std::string::npos);
  }
}

TEST(MarkdownReport, ForeignTextBreaksNeitherTableNorHtml) {
  const auto markdown = markdown_report(std::vector{hvae_run(1, "a|b\n<script>", {1, 2, 3, 4, 5}, false, true)}, {});
  ASSERT_TRUE(markdown);
  EXPECT_NE(markdown->find("a\\|b &lt;script>"), std::string::npos);
  EXPECT_EQ(markdown->find("<script>"), std::string::npos);
}

TEST(MarkdownReport, ChecksHaveIntervalsAndAdvice) {
  const auto markdown = markdown_report(sample_runs(), {});
  ASSERT_TRUE(markdown);
  EXPECT_TRUE(markdown->starts_with("# Valence report\n\n## ")) << markdown->substr(0, 60);
  EXPECT_NE(markdown->find("| check | estimate | interval | threshold | result | try |"), std::string::npos);
  EXPECT_EQ(markdown->find("..\n"), std::string::npos);
}

TEST(MarkdownReport, SingleAdministrationHasNoInterval) {
  const auto markdown = markdown_report(std::vector{hvae_run(1, "once", {55, 41, 3, -11, 36}, false, true, 1)}, {});
  ASSERT_TRUE(markdown);
  EXPECT_NE(markdown->find("| altruistic: angle of expected payoffs | 55.0 | – | 22.7 | degrees | 1 |"), std::string::npos) << *markdown;
}

TEST(JsonReport, SaysWhatIsSimulatedAndWhatIsNotInterpretable) {
  const auto json = json_report(sample_runs(), {"Title", "Note"});
  ASSERT_TRUE(json);
  const auto document = Json::parse(*json);
  EXPECT_EQ(document["title"], "Title");
  EXPECT_EQ(document["note"], "Note");
  EXPECT_EQ(document["runs"][0]["simulated"], false);
  EXPECT_EQ(document["runs"][0]["validity"]["interpretable"], false);
  EXPECT_EQ(document["runs"][1]["simulated"], true);
  EXPECT_EQ(document["runs"][1]["validity"]["interpretable"], true);
  EXPECT_EQ(document["runs"][1]["settings"]["dialogues"], 30);
}

}  // namespace
}  // namespace valence
