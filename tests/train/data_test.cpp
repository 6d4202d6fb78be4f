#include "valence/train/data.h"

#include <gtest/gtest.h>

namespace valence {
namespace {

std::vector<TrainingRecord> parse(std::string_view text) {
  auto records = parse_training_data(text, "d.jsonl");
  EXPECT_TRUE(records) << records.error().message;
  return records.value_or(std::vector<TrainingRecord>{});
}

std::string error_of(std::string_view text) {
  const auto records = parse_training_data(text, "d.jsonl");
  EXPECT_FALSE(records);
  return records ? "" : records.error().message;
}

std::string spoken(const std::vector<Message>& messages) {
  std::string text;
  for (const auto& message : messages) text += fmt::format("{}: {}|", to_string(message.role), message.text);
  return text;
}

TEST(TrainingData, ReadsThePreferencesOfTrl) {
  const auto text = parse(R"({"prompt": "Q?", "chosen": "good", "rejected": "bad", "score_chosen": 2.0})");
  ASSERT_EQ(text.size(), 1U);
  EXPECT_EQ(text[0].kind, RecordKind::kPreference);
  EXPECT_EQ(spoken(text[0].prompt), "user: Q?|");
  EXPECT_EQ(text[0].completions, (std::vector<std::string>{"good", "bad"}));

  const auto turns = parse(
      R"({"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q?"}], "chosen": [{"role": "assistant", "content": "good"}], "rejected": [{"role": "assistant", "content": "bad"}]})"
      "\n");
  EXPECT_EQ(spoken(turns[0].prompt), "system: S|user: Q?|");
  EXPECT_EQ(turns[0].completions, (std::vector<std::string>{"good", "bad"}));
}

TEST(TrainingData, TakesWhatBothConversationsBeginWithAsThePrompt) {
  const auto records = parse(
      R"({"chosen": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "good"}], "rejected": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "bad"}]})");
  EXPECT_EQ(spoken(records[0].prompt), "user: Q?|");
  EXPECT_EQ(records[0].completions, (std::vector<std::string>{"good", "bad"}));
}

TEST(TrainingData, ReadsTheTranscriptsOfHh) {
  const auto records = parse(
      R"({"chosen": "\n\nHuman: one\n\nAssistant: two\n\nHuman: three\n\nmore\n\nAssistant: good", "rejected": "\n\nHuman: one\n\nAssistant: two\n\nHuman: three\n\nmore\n\nAssistant: bad"})");
  EXPECT_EQ(spoken(records[0].prompt), "user: one|assistant: two|user: three\n\nmore|");
  EXPECT_EQ(records[0].completions, (std::vector<std::string>{"good", "bad"}));
}

TEST(TrainingData, ReadsConversationsAndPromptsWithOneCompletion) {
  const auto records =
      parse(R"({"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]})"
            "\n"
            R"({"prompt": "Q?", "completion": "A."})");
  ASSERT_EQ(records.size(), 2U);
  for (const auto& record : records) {
    EXPECT_EQ(record.kind, RecordKind::kMessages);
    EXPECT_EQ(spoken(record.prompt), "user: Q?|");
    EXPECT_EQ(record.completions, (std::vector<std::string>{"A."}));
  }
  EXPECT_EQ(records[1].where.line, 2);
  EXPECT_TRUE(records[0].every_turn);
  EXPECT_FALSE(records[1].every_turn) << "turns of a prompt are given, not learned";
}

TEST(TrainingData, ReadsLabelledAnswers) {
  const auto records = parse(R"({"prompt": "Q?", "completion": "A.", "label": false})"
                             "\n"
                             R"({"prompt": "Q?", "completions": ["a", "b"], "labels": [true, false]})");
  EXPECT_EQ(records[0].kind, RecordKind::kLabelled);
  EXPECT_EQ(records[0].values, (std::vector<double>{0.0}));
  EXPECT_EQ(records[1].values, (std::vector<double>{1.0, 0.0}));
}

TEST(TrainingData, SortsScoredAnswersBestFirst) {
  const auto records = parse(R"({"prompt": "Q?", "completions": ["a", "b", "c"], "scores": [1, 3, 2]})");
  EXPECT_EQ(records[0].kind, RecordKind::kRanked);
  EXPECT_EQ(records[0].completions, (std::vector<std::string>{"b", "c", "a"}));
  EXPECT_EQ(records[0].values, (std::vector<double>{3, 2, 1}));
}

TEST(TrainingData, ReadsChoicesWithADistributionOrAnAnswer) {
  const auto records = parse(R"({"prompt": "Q?", "options": ["a", "b"], "target": [0.25, 0.75]})"
                             "\n"
                             R"({"prompt": "Q?", "options": ["a", "b", "c"], "answer": 2})");
  EXPECT_EQ(records[0].kind, RecordKind::kChoice);
  EXPECT_EQ(records[0].values, (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ(records[1].values, (std::vector<double>{0, 0, 1}));
}

TEST(TrainingData, APromptAloneIsToBeAnsweredWhileTraining) {
  EXPECT_EQ(parse(R"({"prompt": "Q?"})")[0].kind, RecordKind::kPrompt);
}

TEST(TrainingData, ErrorsNameFileLineAndField) {
  const std::string good = R"({"prompt": "Q?", "chosen": "a", "rejected": "b"})"
                           "\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {good + R"({"prompt": "Q?", "chosen": "a"})", "d.jsonl:2:1: the key \"rejected\" is missing"},
      {good + R"({"prompt": "Q?", "chosen": "a", "rejected": 3})",
       "d.jsonl:2:45: \"rejected\" should be a text in quotes, got 3"},
      {R"({"prompt": "Q?", "chosen": " ", "rejected": "b"})", "d.jsonl:1:28: \"chosen\" is an empty answer"},
      {R"({"prompt": "Q?", "options": ["a", "b"], "target": [0.5, 0.6]})",
       "d.jsonl:1:51: \"target\" should be probabilities with the sum 1, their sum is 1.1"},
      {R"({"prompt": "Q?", "options": ["a", "b"], "answer": 2})",
       "d.jsonl:1:51: \"answer\" should be the index of an option, 0 to 1, got 2"},
      {R"({"prompt": "Q?", "completions": ["a", "b"], "labels": [true]})",
       "d.jsonl:1:55: \"labels\" should have one entry for each of 2 completions, got 1"},
      {R"({"prompt": "Q?", "completions": [], "labels": []})",
       "d.jsonl:1:33: \"completions\" should hold at least one answer"},
      {R"({"prompt": "Q?", "completions": ["a", "b"], "scores": [1, 1]})",
       "d.jsonl:1:55: \"scores\" are all the same, so that no answer is better than another; leave the line out"},
      {good + R"({"prompt": "Q?"})",
       "d.jsonl:2:1: is a prompt, but the file began with a preference: keep kinds in files of their own"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(error_of(text), expected);
}

TEST(TrainingData, ConversationsOfAPairMayDifferInTheLastAnswerOnly) {
  const auto message =
      error_of(R"({"chosen": "\n\nHuman: one\n\nAssistant: a", "rejected": "\n\nHuman: two\n\nAssistant: b"})");
  EXPECT_NE(message.find("\"rejected\" should differ from \"chosen\" in the last answer only"), std::string::npos)
      << message;
}

TEST(TrainingData, AnUnknownFieldIsNotReadOver) {
  EXPECT_NE(error_of(R"({"prompt": "Q?", "choosen": "a", "rejected": "b"})").find("choosen"), std::string::npos);
}

TEST(TrainingData, AConversationThatEndsWithAnEmptyAnswerTeachesNothing) {
  const auto message =
      error_of(R"({"chosen": "\n\nHuman: one\n\nAssistant: ", "rejected": "\n\nHuman: one\n\nAssistant: b"})");
  EXPECT_NE(message.find("\"chosen\" ends with an empty answer"), std::string::npos) << message;
}

TEST(TrainingData, LinesThatAreNoRecordCanBeLeftOutByName) {
  std::vector<std::string> left_out;
  const auto records = parse_training_data(
      "{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \" \"}\n{\"prompt\": \"p\", \"chosen\": \"a\", "
      "\"rejected\": \"b\"}",
      "d.jsonl", &left_out);
  ASSERT_TRUE(records) << records.error().message;
  EXPECT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().where.line, 2);
  EXPECT_EQ(left_out, (std::vector<std::string>{"d.jsonl:1:44: \"rejected\" is an empty answer"}));
}

TEST(TrainingData, AnEmptyFileIsAnError) { EXPECT_EQ(error_of("\n"), "d.jsonl: there is no training data in it"); }

TEST(Transcripts, MustBeginWithASpeaker) {
  const auto turns = parse_transcript("hello\n\nHuman: hi");
  ASSERT_FALSE(turns);
  EXPECT_EQ(turns.error().message, "should be a transcript that begins with \"\\n\\nHuman:\", or a list of turns");
}

}  // namespace
}  // namespace valence
