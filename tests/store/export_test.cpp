#include "valence/store/export.h"

#include <gtest/gtest.h>

#include "support/answers.h"
#include "support/scratch.h"

namespace valence {
namespace {

using testing::identical;
using testing::Scratch;
using testing::strange_table;

AnswerTable one_answer() {
  AnswerRow row;
  row.unit = "d1";
  row.item = "svo 1";
  row.layout = "A-I";
  row.probability = {0.1, 0.9};
  row.place = {1, 0};
  row.text = "A, said \"I\"";
  return {"svo", {row}, {}};
}

TEST(ExportAnswers, JsonlHasTheDocumentedKeysInOrder) {
  EXPECT_EQ(answers_jsonl(one_answer()),
            R"({"instrument":"svo","probe":false,"unit":"d1","cluster":"","condition":"","item":"svo 1","variant":"",)"
            R"("layout":"A-I","format":"letter","route":"exact","status":"scored","probability":[0.1,0.9],"place":[1,0],)"
            R"("captured_mass":1.0,"draws":0,"text":"A, said \"I\"","digest":""})"
            "\n");
}

TEST(ExportAnswers, CsvHasTheDocumentedColumnsInOrder) {
  EXPECT_EQ(answers_csv(one_answer()),
            "instrument,probe,unit,cluster,condition,item,variant,layout,format,route,status,probability,place,"
            "captured_mass,draws,text,digest\n"
            "svo,false,d1,,,svo 1,,A-I,letter,exact,scored,0.1 0.9,1 0,1,0,\"A, said \"\"I\"\"\",\n");
}

TEST(ExportAnswers, BothFormsComeBackIdenticalToTheLastBit) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto table = strange_table(seed, 20);
    const auto jsonl = parse_answers_jsonl(answers_jsonl(table), "a.jsonl");
    ASSERT_TRUE(jsonl) << jsonl.error().message;
    EXPECT_TRUE(identical(*jsonl, table)) << seed;
    const auto csv = parse_answers_csv(answers_csv(table), "a.csv");
    ASSERT_TRUE(csv) << csv.error().message;
    EXPECT_TRUE(identical(*csv, table)) << seed;
  }
}

TEST(ImportAnswers, ReadsFilesByTheirEnding) {
  const Scratch scratch;
  const auto table = one_answer();
  testing::put_file(scratch / "a.jsonl", answers_jsonl(table));
  testing::put_file(scratch / "a.csv", answers_csv(table));
  EXPECT_TRUE(identical(import_answers(scratch / "a.jsonl").value(), table));
  EXPECT_TRUE(identical(import_answers(scratch / "a.csv").value(), table));
  EXPECT_EQ(import_answers(scratch / "a.txt").error().message,
            (scratch / "a.txt").string() + ": answers are read from files ending in .jsonl or .csv");
  EXPECT_FALSE(import_answers(scratch / "missing.csv"));
}

TEST(ImportAnswers, OnlyItemAndProbabilityAreNeeded) {
  for (const auto& table : {parse_answers_csv("item,probability\nq1,0 1 0\n", "a.csv"),
                            parse_answers_jsonl(R"({"item":"q1","probability":[0,1,0]})", "a.jsonl")}) {
    ASSERT_TRUE(table) << table.error().message;
    ASSERT_EQ(table->rows.size(), 1U);
    const auto& row = table->rows[0];
    EXPECT_EQ(row.item, "q1");
    EXPECT_EQ(row.probability, (std::vector<double>{0, 1, 0}));
    EXPECT_EQ(row.route, Route::kGiven);
    EXPECT_EQ(row.status, Status::kScored);
    EXPECT_EQ(row.captured_mass, 1.0);
    EXPECT_TRUE(table->instrument.empty());
  }
}

std::string csv_error(std::string_view text) {
  const auto table = parse_answers_csv(text, "a.csv");
  return table ? "no error" : table.error().message;
}

std::string jsonl_error(std::string_view text) {
  const auto table = parse_answers_jsonl(text, "a.jsonl");
  return table ? "no error" : table.error().message;
}

TEST(ImportAnswers, CsvMistakesAreNamedWithLineAndColumn) {
  EXPECT_EQ(csv_error("item,probabilty\nq,1\n"),
            "a.csv:1: \"probabilty\" is no column of answers; did you mean \"probability\"?");
  EXPECT_EQ(csv_error("item,probability\nq1,1\nq2,0.5 0.4\n"), "a.csv:3: \"probability\" sums to 0.9; it should sum to 1");
  EXPECT_EQ(csv_error("item,probability\nq1,1.5 -0.5\n"), "a.csv:2: \"probability\" holds -0.5; none may be negative");
  EXPECT_EQ(csv_error("item,probability\nq1,\n"),
            "a.csv:2: \"probability\" is empty; a scored answer needs a probability for each option");
  EXPECT_EQ(csv_error("item,probability,place\nq1,0 1,0 2\n"), "a.csv:2: \"place\" should name each place from 0 once");
  EXPECT_EQ(csv_error("item,probability,place\nq1,0 1,0 1 2\n"), "a.csv:2: \"place\" names 3 places for 2 options");
  EXPECT_EQ(csv_error("item,probability,draws\nq1,1,2.5\n"), "a.csv:2: \"draws\" holds 2.5; it should be a whole number");
  EXPECT_EQ(csv_error("item,probability,probe\nq1,1,yes\n"), "a.csv:2: \"probe\" is \"yes\"; it should be true or false");
  EXPECT_EQ(csv_error("item,probability,status\nq1,1,ok\n"),
            "a.csv:2: \"status\": unknown status \"ok\"; it should be one of scored, refused, unparseable, error");
  EXPECT_EQ(csv_error("instrument,item,probability\nsvo,q1,1\npvq,q1,1\n"),
            "a.csv:3: \"instrument\" is \"pvq\", earlier lines say \"svo\"; give one file per instrument");
  EXPECT_TRUE(csv_error("item,probability\nq1,one\n").starts_with("a.csv:2: \"probability\""));
  EXPECT_NE(csv_error("item\nq1\n"), "no error");
}

TEST(ImportAnswers, JsonlMistakesAreNamedWithLineAndColumn) {
  const std::string sound = R"({"item":"q","probability":[1]})" "\n";
  EXPECT_TRUE(jsonl_error(sound + R"({"item":"q","probability":[0.5]})").starts_with("a.jsonl:2:1: \"probability\" sums to 0.5"))
      << jsonl_error(sound + R"({"item":"q","probability":[0.5]})");
  EXPECT_TRUE(jsonl_error(sound + R"({"item":"q","probability":["x"]})").starts_with("a.jsonl:2:"));
  EXPECT_TRUE(jsonl_error(sound + R"({"item":"q"})").starts_with("a.jsonl:2:"));
  EXPECT_TRUE(jsonl_error(sound + "{").starts_with("a.jsonl:2:"));
  const auto unknown = jsonl_error(R"({"item":"q","probability":[1],"lay_out":"x"})");
  EXPECT_NE(unknown.find("is no key of an answer; did you mean \"layout\"?"), std::string::npos) << unknown;
  EXPECT_TRUE(jsonl_error(R"({"item":"q","probability":[1],"draws":-1})").ends_with("\"draws\" holds -1; it should be a "
                                                                                       "whole number"));
}

}  // namespace
}  // namespace valence
