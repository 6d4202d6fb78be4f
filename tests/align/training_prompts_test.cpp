#include "valence/align/training_prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/scratch.h"
#include "support/shared_data.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::put_file;
using testing::Scratch;

Space schwartz() { return load_space("schwartz10").value(); }

std::set<std::string> texts_of(const std::vector<OpenPrompt>& prompts) {
  std::set<std::string> texts;
  for (const auto& prompt : prompts) texts.insert(prompt.text);
  return texts;
}

TEST(TrainingPrompts, AreNeverThoseThatAreMeasuredOn) {
  for (const std::string set : {"trustworthy", "advice"}) {
    const auto training = load_training_prompts(set, schwartz()).value();
    const auto all = load_prompts(set, schwartz()).value();
    const auto measured = prompts_on(all, PromptSide::kHeldOut);
    EXPECT_EQ(training.read, all.size());
    EXPECT_EQ(training.held_out, measured.size());
    EXPECT_EQ(training.prompts.size() + measured.size(), all.size());
    const auto trained = texts_of(training.prompts);
    for (const auto& prompt : measured) EXPECT_FALSE(trained.contains(prompt.text)) << prompt.id;
  }
}

TEST(TrainingPrompts, ComeFromSeveralSources) {
  const auto one = load_training_prompts("advice", schwartz()).value(),
             other = load_training_prompts("trustworthy", schwartz()).value();
  const auto both = load_training_prompts("advice, trustworthy", schwartz()).value();
  EXPECT_EQ(both.prompts.size(), one.prompts.size() + other.prompts.size());
  EXPECT_EQ(load_training_prompts("advice,advice", schwartz())->prompts.size(), one.prompts.size());
}

TEST(TrainingPrompts, RefuseSafeRlhfByTheMarksOfItsLines) {
  const Scratch scratch;
  const auto file = (scratch / "questions.jsonl").string();
  for (const std::string mark :
       {R"("safety_issues": ["violence"])", R"("is_response_0_safe": true)", R"("query_source": "SafeRLHF")"}) {
    put_file(file, "{\"prompt\": \"harmless\"}\n{\"prompt\": \"another\", " + mark + "}\n");
    const auto prompts = load_training_prompts(file, schwartz());
    ASSERT_FALSE(prompts) << mark;
    EXPECT_EQ(prompts.error().code, ErrorCode::kUsage);
    EXPECT_THAT(prompts.error().message, HasSubstr("questions.jsonl:2"));
    EXPECT_THAT(prompts.error().message, HasSubstr("marks a prompt of SafeRLHF, which is for evaluation only"));
  }
}

TEST(TrainingPrompts, RefuseTheSharedSafeRlhfFile) {
  const auto file = testing::shared_data("fulcra/saferlhf/train_questions.jsonl");
  VALENCE_NEED_SHARED(file);
  EXPECT_THAT(load_training_prompts(file.string(), schwartz()).error().message, HasSubstr("for evaluation only"));
}

TEST(TrainingPrompts, ADialogueIsOnTheSideOfItsOpening) {
  const Scratch scratch;
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    lines += fmt::format(
        "{{\"chosen\": \"\\n\\nHuman: opening {}\\n\\nAssistant: well\\n\\nHuman: and {}?\\n\\nAssistant: so\"}}\n",
        i / 2, i);
  }
  put_file(scratch / "hh.jsonl", lines);
  const auto training = load_training_prompts((scratch / "hh.jsonl").string(), schwartz()).value();
  EXPECT_EQ(training.prompts.size() + training.held_out, 40u);
  EXPECT_EQ(training.prompts.size() % 2, 0u);  // both dialogues of an opening, or neither
  EXPECT_GT(training.held_out, 0u);
}

TEST(TrainingPrompts, SayWhenNoneIsLeft) {
  const Scratch scratch;
  std::string held_out;
  for (int i = 0; held_out.empty(); ++i) {
    const auto text = fmt::format("prompt {}", i);
    if (side_of(text) == PromptSide::kHeldOut) held_out = text;
  }
  const auto file = (scratch / "one.jsonl").string();
  put_file(file, "{\"prompt\": \"" + held_out + "\"}\n");
  EXPECT_EQ(load_training_prompts(file, schwartz()).error().message,
            file +
                ": none of its 1 prompts is on the training side of the split (hash of the normalised first turn, 50 % "
                "held out, seed 1)");
}

TEST(DrawPrompts, PartsTheSetInTwo) {
  const auto all = load_training_prompts("advice", schwartz()).value().prompts;
  const auto draw = draw_prompts(all, 30, 5, "test");
  EXPECT_EQ(draw.drawn.size(), 30u);
  EXPECT_EQ(draw.drawn.size() + draw.others.size(), all.size());
  const auto drawn = texts_of(draw.drawn);
  for (const auto& prompt : draw.others) EXPECT_FALSE(drawn.contains(prompt.text));
  EXPECT_EQ(draw_prompts(all, 30, 5, "test").drawn.front().id, draw.drawn.front().id);
  EXPECT_NE(texts_of(draw_prompts(all, 30, 6, "test").drawn), drawn);
  EXPECT_TRUE(draw_prompts(all, 100000, 5, "test").others.empty());
}

}  // namespace
}  // namespace valence
