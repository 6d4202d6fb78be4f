#include "valence/base/csv.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace valence {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string failure_of(std::string_view text, const CsvOptions& options = {}) {
  const auto table = parse_csv(text, "a.csv", options);
  if (table) return "no failure";
  EXPECT_EQ(table.error().code, ErrorCode::kUsage);
  return table.error().message;
}

TEST(Csv, ReadsQuotedFieldsAndEveryLineEnd) {
  const auto table = parse_csv("id,text\r\n1,\"a, \"\"b\"\"\nc\"\n2,d\r3,\n", "a.csv").value();
  EXPECT_EQ(table.columns, (std::vector<std::string>{"id", "text"}));
  EXPECT_EQ(table.rows, (Rows{{"1", "a, \"b\"\nc"}, {"2", "d"}, {"3", ""}}));
  EXPECT_EQ(table.lines, (std::vector<int>{2, 4, 5}));
  EXPECT_EQ(table.where(1), "a.csv:4");
}

TEST(Csv, SkipsTheByteOrderMarkAndEmptyLines) {
  const auto table = parse_csv("\xEF\xBB\xBFx,y\n\n1,2\n\n", "a.csv").value();
  EXPECT_EQ(table.columns.front(), "x");
  EXPECT_EQ(table.rows, (Rows{{"1", "2"}}));
  EXPECT_EQ(parse_csv("x\n\n1", "a.csv")->rows, (Rows{{""}, {"1"}}));  // one column: an empty value
}

TEST(Csv, TabsWithoutQuoting) {
  const auto table = parse_csv("a\tb\n\"x\t5\" wide\n", "a.tsv", {'\t', false}).value();
  EXPECT_EQ(table.rows, (Rows{{"\"x", "5\" wide"}}));
}

TEST(Csv, FindsColumnsByName) {
  const auto table = parse_csv("id,text,text\n1,a,b\n", "a.csv").value();
  EXPECT_EQ(table.column("id"), 0U);
  EXPECT_EQ(table.column("txt").error().message, "a.csv:1: no column \"txt\"; the columns are id, text, text");
  EXPECT_EQ(table.column("text").error().message, "a.csv:1: there is more than one column \"text\"");
}

TEST(Csv, NamesThePlaceOfWhatIsWrong) {
  EXPECT_EQ(failure_of("a,b\n1,2\n3\n"), "a.csv:3:1: the row has 1 fields, the header has 2");
  EXPECT_EQ(failure_of("a,b\n1,2,3\n"), "a.csv:2:1: the row has 3 fields, the header has 2");
  EXPECT_EQ(failure_of("a,b\n1,\"x\n"), "a.csv:2:3: the quote opened here is never closed");
  EXPECT_EQ(failure_of("a,b\nä,\"x\"y\n"),
            "a.csv:2:6: expected a separator or the line's end after a closing quote; write \"\" for a quote inside");
  EXPECT_EQ(failure_of("a,b\nä\xFF,2\n"), "a.csv:2:2: invalid UTF-8; save the file as UTF-8");
  EXPECT_EQ(failure_of(""), "a.csv:1:1: the file is empty; expected a header line");
  EXPECT_EQ(failure_of("\xEF\xBB\xBF \n"), "a.csv:1:1: the file is empty; expected a header line");
}

TEST(Csv, MissingFileIsNotFound) {
  const auto table = read_csv("/nonexistent/a.csv");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().message, "/nonexistent/a.csv: cannot read: No such file or directory");
}

TEST(Csv, RecordsReadBackAsTheyWere) {
  EXPECT_EQ(csv_record({"a", "b,c", "say \"x\"", " pad", ""}), "a,\"b,c\",\"say \"\"x\"\"\",\" pad\",\n");
  const auto field = rc::gen::container<std::string>(rc::gen::element('a', ' ', ',', '"', '\n', '\r', 'z'));
  EXPECT_TRUE(rc::check([&] {
    const auto width = *rc::gen::inRange<std::size_t>(1, 4);
    const auto fields = *rc::gen::container<std::vector<std::string>>(width, field);
    std::string text = csv_record(std::vector<std::string>(width, "column"));
    text += csv_record(fields);
    RC_ASSERT(parse_csv(text, "x").value().rows == Rows{fields});
  }));
}

TEST(Csv, NoBytesMakeItFailOtherwiseThanByAnError) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    const auto table = parse_csv(bytes, "x");
    RC_ASSERT((table || table.error().message.starts_with("x:")));
  }));
}

TEST(ParseNumber, TakesNumbersInFull) {
  EXPECT_EQ(parse_number("3", "x"), 3.0);
  EXPECT_EQ(parse_number(" -1.5e3 ", "x"), -1500.0);
  EXPECT_EQ(parse_number("+.5", "x"), 0.5);
}

TEST(ParseNumber, RefusesTheRest) {
  for (const auto* text : {"", "abc", "3,5", "1 2", "0x10", "nan", "inf", "1e999", "+-1", "--1"}) {
    const auto number = parse_number(text, "a.csv:2");
    ASSERT_FALSE(number) << text;
    EXPECT_EQ(number.error().message, std::string("a.csv:2: expected a number, got \"") + text + "\"");
  }
}

}  // namespace
}  // namespace valence
