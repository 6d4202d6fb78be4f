#include "readings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sample_runs.h"

namespace valence::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ReportRun sample() { return testing::fulcra_run(1, "smollm2"); }

TEST(Readings, AreTheResponsesWithEveryDimensionRead) {
  auto run = sample();
  run.answers.rows.pop_back();  // the last response lacks a dimension now
  const auto readings = readings_of(run.answers);
  EXPECT_THAT(readings.dimensions, ElementsAre("benevolence", "power", "security"));
  ASSERT_EQ(readings.rows.size(), 29u);
  EXPECT_EQ(readings.cloud.rows(), 29u);
  EXPECT_NEAR(readings.cloud.row(0)[0], 0.9, 1e-12);
  EXPECT_NEAR(readings.cloud.row(25)[0], -0.7 + 0.005 * 4, 1e-12);
  EXPECT_THAT(tags_by_count(readings), ElementsAre("financial_crime", "privacy violation"));
}

TEST(Readings, OfARunWithoutThemAreNone) {
  const auto run = testing::pvq_run(1, "s", 1.0, false, true);
  EXPECT_TRUE(readings_of(run.answers).rows.empty());
  Ids ids;
  EXPECT_EQ(response_maps(run, ids).value(), "");
  EXPECT_EQ(correlation_figure(run, ids), "");
}

TEST(CorrelationFigure, FillsOnlyWhatAnIntervalTellsFromZero) {
  Ids ids;
  const auto html = correlation_figure(sample(), ids);
  EXPECT_THAT(html, HasSubstr(">42</text>"));
  EXPECT_THAT(html, HasSubstr("class=\"f0 h5\""));
  EXPECT_THAT(html, HasSubstr("class=\"small soft\">−5</text>"));
  EXPECT_THAT(html, Not(HasSubstr("f1 h")));
  EXPECT_THAT(html, HasSubstr("financial crime"));
  EXPECT_THAT(html, HasSubstr("which chance alone does in about 0 of 4 cells; here in 2."));
}

TEST(ResponseMaps, NameTheGroupThatNoRiskCovers) {
  Ids ids;
  const auto html = response_maps(sample(), ids).value();
  EXPECT_THAT(html, HasSubstr("2 groups by k-means"));
  EXPECT_THAT(html, HasSubstr("opposes a value, and no known risk covers it"));
  EXPECT_THAT(html, HasSubstr("financial crime (12 of 20)"));
  EXPECT_THAT(html, HasSubstr("Principal plane: across"));
  EXPECT_THAT(html, HasSubstr("by t-SNE (perplexity 30)"));
}

TEST(ResponseMaps, AreTheSameEachTime) {
  Ids once, again;
  EXPECT_EQ(response_maps(sample(), once).value(), response_maps(sample(), again).value());
}

TEST(Verdict, OfReadAnswersHedgesByTheEvaluatorsError) {
  EXPECT_EQ(verdict(sample()),
            "smollm2: what it says upholds Benevolence (0.350 [0.270, 0.430] ± 0.200). Within the evaluator's error on responders that it never saw: "
            "Security (0.380 [0.360, 0.400] ± 0.500). Values that too few responses touch: 1. How well the evaluator reads this subject is not established.");
}

}  // namespace
}  // namespace valence::report
