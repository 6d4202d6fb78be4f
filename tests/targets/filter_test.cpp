#include "valence/targets/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace valence {
namespace {

using ::testing::ElementsAre;

constexpr auto kNo = Truth::kNo, kUnknown = Truth::kUnknown, kYes = Truth::kYes;

const CsvTable kTable =
    parse_csv("cntry,agea,gndr\nGB,17,1\nGB,18,2\nFR,29,1\nGB,30,2\nGB,999,1\nFR,,9\n", "s.csv").value();
const UnknownCodes kCodes = {{"agea", {"999"}}, {"gndr", {"9"}}};

std::vector<Truth> test(std::string_view text) {
  const auto filter = Filter::parse(text);
  if (!filter) throw std::runtime_error(filter.error().message);
  return filter->test(kTable, kCodes).value();
}

TEST(Filter, TakesASubgroup) {
  EXPECT_THAT(test("cntry == \"GB\" and agea >= 18 and agea < 30"), ElementsAre(kNo, kYes, kNo, kNo, kUnknown, kNo));
  EXPECT_THAT(test("gndr == 2"), ElementsAre(kNo, kYes, kNo, kYes, kNo, kUnknown));
  EXPECT_THAT(test("cntry in ('FR', 'DE')"), ElementsAre(kNo, kNo, kYes, kNo, kNo, kYes));
  EXPECT_THAT(test("agea in (17, 29)"), ElementsAre(kYes, kNo, kYes, kNo, kUnknown, kUnknown));
  EXPECT_THAT(test("agea <= 18"), ElementsAre(kYes, kYes, kNo, kNo, kUnknown, kUnknown));
  EXPECT_THAT(test("agea > 18.5"), ElementsAre(kNo, kNo, kYes, kYes, kUnknown, kUnknown));
}

TEST(Filter, WithoutTextTakesEverybody) {
  EXPECT_THAT(test(""), ::testing::Each(kYes));
  EXPECT_THAT(Filter().test(kTable).value(), ::testing::Each(kYes));
}

// The age of nobody: a missing answer is neither old nor "not old".
TEST(Filter, LeavesMissingAnswersUnknownUnderNot) {
  EXPECT_THAT(test("not agea >= 18"), ElementsAre(kYes, kNo, kNo, kNo, kUnknown, kUnknown));
  EXPECT_THAT(test("agea >= 18 or cntry == 'FR'"), ElementsAre(kNo, kYes, kYes, kYes, kUnknown, kYes));
  EXPECT_THAT(test("agea != 999"), ElementsAre(kYes, kYes, kYes, kYes, kUnknown, kUnknown));
}

TEST(Filter, BindsNotBeforeAndBeforeOr) {
  EXPECT_THAT(test("cntry == 'FR' or cntry == 'GB' and gndr == 2"), ElementsAre(kNo, kYes, kYes, kYes, kNo, kYes));
  EXPECT_THAT(test("(cntry == 'FR' or cntry == 'GB') and gndr == 2"), ElementsAre(kNo, kYes, kNo, kYes, kNo, kUnknown));
  EXPECT_THAT(test("not cntry == 'FR' and gndr == 2"), ElementsAre(kNo, kYes, kNo, kYes, kNo, kNo));
  EXPECT_THAT(test("not (cntry != 'FR')"), ElementsAre(kNo, kNo, kYes, kNo, kNo, kYes));
}

std::string parse_error(std::string_view text) {
  const auto filter = Filter::parse(text);
  return filter ? "no error" : filter.error().message;
}

TEST(MalformedFilter, SaysWhereAndWhatWasExpected) {
  EXPECT_EQ(parse_error("cntry = \"GB\""),
            "filter, character 7: expected ==, !=, <, <=, >, >= or in, found \"= \"GB\"\"");
  EXPECT_EQ(parse_error("agea >="), "filter, character 8: expected a number, or a text in quotes, found the end");
  EXPECT_EQ(parse_error("cntry == GB"), "filter, character 10: expected a number, or a text in quotes, found \"GB\"");
  EXPECT_EQ(parse_error("cntry == \"GB"),
            "filter, character 10: expected a closing quote for the text that begins here, found \"\"GB\"");
  EXPECT_EQ(parse_error("agea > \"18\""),
            "filter, character 8: expected a number after \">\"; texts have == and !=, found \"\"18\"\"");
  EXPECT_EQ(parse_error("(agea > 18"), "filter, character 11: expected \")\", found the end");
  EXPECT_EQ(parse_error("agea > 18 gndr == 1"),
            "filter, character 11: expected \"and\", \"or\" or the end, found \"gndr == 1\"");
  EXPECT_EQ(parse_error("agea > 18 and"), "filter, character 14: expected the name of a column, found the end");
  EXPECT_EQ(parse_error("agea in 18"), "filter, character 9: expected \"(\" after \"in\", found \"18\"");
  EXPECT_EQ(parse_error("agea in (18 19)"), "filter, character 13: expected \",\" or \")\", found \"19)\"");
  EXPECT_EQ(parse_error(std::string(200, '(') + "a == 1"), "filter: nested more than 100 deep");
}

TEST(MalformedFilter, NamesTheColumnOrCellOfTheTable) {
  EXPECT_EQ(Filter::parse("age > 18")->test(kTable).error().message,
            "s.csv:1: no column \"age\"; the columns are cntry, agea, gndr");
  EXPECT_EQ(Filter::parse("cntry > 18")->test(kTable).error().message,
            "s.csv:2, column \"cntry\": expected a number, got \"GB\"");
}

}  // namespace
}  // namespace valence
