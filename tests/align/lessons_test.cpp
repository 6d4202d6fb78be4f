#include "valence/align/lessons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exam/fake_model.h"
#include "toy_values.h"
#include "valence/train/data.h"

namespace valence {
namespace {

const OpenPrompt kPrompt = {"p", {{Role::kUser, "Hello"}, {Role::kAssistant, "Yes?"}}, "Who are you?", {}};

Subject steered() {
  auto model = std::make_shared<testing::FakeModel>(
      [](const Request&) -> Result<Response> { return fail(ErrorCode::kModel, "not asked"); });
  return {.name = "s", .model = std::move(model), .system_prompt = "Be brief.", .examples = {}, .render = {}};
}

TEST(Lessons, LearnTheVeryTokensThatWereDrawn) {
  const std::vector<Lesson> lessons = {{kPrompt, {{"me", {501, 502}}, {"you", {503, 504, 505}}}}};
  const auto examples = lesson_examples(steered(), lessons).value();
  ASSERT_EQ(examples.size(), 1u);
  const auto& paths = examples[0].paths;
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_EQ(paths[0].learned(), 2u);
  EXPECT_EQ(paths[1].learned(), 3u);
  EXPECT_EQ(paths[0].learned_from, paths[1].learned_from);
  EXPECT_EQ(paths[1].tokens.back(), 505);
}

TEST(Lessons, ThatWereRolledOutCarryRewardSamplerAndEnd) {
  const std::vector<Lesson> lessons = {
      {kPrompt, {{"me", {501, 502}, 0.5, {-1, -2}, true}, {"you", {503}, -0.5, {-3}, false}}}};
  const auto example = lesson_examples(steered(), lessons).value().front();
  EXPECT_EQ(example.paths[0].value, 0.5);
  EXPECT_EQ(example.paths[0].sampler_logprobs, (std::vector<double>{-1, -2}));
  EXPECT_FALSE(example.paths[1].ended);
  const auto read = parse_training_data(to_jsonl(lessons), "rollouts.jsonl");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->front().kind, RecordKind::kRanked);
  EXPECT_EQ(read->front().values, (std::vector<double>{0.5, -0.5}));
}

TEST(Lessons, AreRenderedUnderTheSubjectsOwnSteering) {
  const std::vector<Lesson> lessons = {{kPrompt, {{"me", {501}}}}};
  const auto example = lesson_examples(steered(), lessons).value().front();
  std::string rendered;
  for (std::size_t i = 0; i < example.paths[0].learned_from; ++i)
    rendered += static_cast<char>(example.paths[0].tokens[i]);
  EXPECT_THAT(rendered, ::testing::HasSubstr("Be brief."));
  EXPECT_THAT(rendered, ::testing::HasSubstr("Yes?"));
  EXPECT_THAT(rendered, ::testing::HasSubstr("Who are you?"));
}

TEST(Lessons, WithoutTokensCannotBeTrainedOn) {
  const std::vector<Lesson> lessons = {{kPrompt, {{"me", {}}}}};
  EXPECT_EQ(lesson_examples(steered(), lessons).error().message, "s cannot be trained: its answers have no tokens");
}

TEST(Lessons, AsFilesAreTrainingDataThatOthersRead) {
  const std::vector<Lesson> pair = {{kPrompt, {{"me", {}}, {"you", {}}}}}, single = {{kPrompt, {{"me", {}}}}};
  const auto preference = parse_training_data(to_jsonl(pair), "pairs.jsonl");
  ASSERT_TRUE(preference) << preference.error().message;
  EXPECT_EQ(preference->front().kind, RecordKind::kPreference);
  EXPECT_EQ(preference->front().prompt.size(), 3u);
  EXPECT_EQ(preference->front().completions, (std::vector<std::string>{"me", "you"}));
  const auto sft = parse_training_data(to_jsonl(single), "sft.jsonl");
  ASSERT_TRUE(sft) << sft.error().message;
  EXPECT_EQ(sft->front().completions.back(), "me");
}

}  // namespace
}  // namespace valence
