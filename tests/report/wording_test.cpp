#include "wording.h"

#include <gtest/gtest.h>

#include "report/sample_runs.h"
#include "svg.h"

namespace valence::report {
namespace {

using namespace valence::testing;

TEST(Wording, FiguresCarryTheirIntervalAndUnit) {
  EXPECT_EQ(figure_text(estimate_of(22.9, 1.1, 30, "dialogue")), "22.9 [21.8, 24.0]");
  EXPECT_EQ(figure_text(estimate_of(22.9, 1.1, 1, "dialogue")), "22.9");
  EXPECT_EQ(figure_with_unit(estimate_of(22.9, 1.1, 30, "dialogue"), "degrees"), "22.9° [21.8, 24.0]");
  EXPECT_EQ(figure_with_unit(estimate_of(0.5, 0.1, 1, "wording"), "nats"), "0.500 nats");
}

TEST(Wording, RowLabelNamesItsConditionOnce) {
  Estimand estimand{"a.angle", "angle", "altruistic", "angle of expected payoffs", "degrees", 0, 1, true};
  EXPECT_EQ(row_label(estimand), "altruistic: angle of expected payoffs");
  estimand.label = "altruistic angle";
  EXPECT_EQ(row_label(estimand), "altruistic angle");
  EXPECT_EQ(row_label({"p.category.prosocial", "prosocial", "prosocial", "prosocial administrations", "share", 0, 1, false}),
            "prosocial: prosocial administrations") << "the category is not the condition";
}

TEST(Wording, CountsAgreeInNumber) {
  EXPECT_EQ(counted(1, "dialogue"), "1 dialogue");
  EXPECT_EQ(counted(1200, "answer"), "1,200 answers");
}

TEST(Wording, LinesBreakAtSpacesAndLongWordsWhereTheyMust) {
  EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("aaaaabbbbb cc", 5), (std::vector<std::string>{"aaaaa", "bbbbb", "cc"}));
  EXPECT_EQ(wrap("ééééé", 2), (std::vector<std::string>{"éé", "éé", "é"})) << "never inside a character";
  EXPECT_EQ(wrap("", 5), std::vector<std::string>{""});
}

TEST(Axis, ValuesBeyondTheEndsStayOnIt) {
  const Axis axis{-1, 1, 10, 110};
  EXPECT_DOUBLE_EQ(axis.at(0), 60);
  EXPECT_DOUBLE_EQ(axis.at(-3), 10);
  EXPECT_DOUBLE_EQ(axis.at(3), 110);
}

TEST(RoundBound, HoldsTheValuesWithinTheLimit) {
  EXPECT_DOUBLE_EQ(round_bound(0.4, 5), 0.5);
  EXPECT_DOUBLE_EQ(round_bound(1.67, 5), 2.0);
  EXPECT_DOUBLE_EQ(round_bound(4.2, 5), 5.0);
}

}  // namespace
}  // namespace valence::report
