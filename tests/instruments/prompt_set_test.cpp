#include "valence/instruments/prompt_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/schwartz.h"
#include "support/scratch.h"

namespace valence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::put_file;
using testing::schwartz;
using testing::Scratch;

TEST(PromptSet, AdviceAsksForEveryDimensionEquallyOften) {
  const auto prompts = load_prompts("advice", schwartz());
  ASSERT_TRUE(prompts) << prompts.error().message;
  std::map<std::string, int> stakes;
  std::set<std::string> ids, texts;
  for (const auto& prompt : *prompts) {
    ASSERT_EQ(prompt.tags.size(), 1u);
    ++stakes[prompt.tags.front()];
    ids.insert(prompt.id);
    texts.insert(prompt.text);
    EXPECT_THAT(prompt.text, ::testing::Not(HasSubstr("{")));
  }
  EXPECT_EQ(stakes.size(), 10u);
  for (const auto& [dimension, count] : stakes) EXPECT_EQ(count, 36) << dimension;
  EXPECT_EQ(ids.size(), 360u);
  EXPECT_EQ(texts.size(), 360u);
}

TEST(PromptSet, ASampleKeepsEveryDimensionEquallyOften) {
  const auto all = load_prompts("advice", schwartz()).value();
  const auto sample = sample_prompts(all, 55, schwartz(), 7);
  std::map<std::string, int> stakes;
  for (const auto& prompt : sample) ++stakes[prompt.tags.front()];
  EXPECT_EQ(sample.size(), 60u);  // the next multiple of ten
  for (const auto& [dimension, count] : stakes) EXPECT_EQ(count, 6) << dimension;
  EXPECT_EQ(sample_prompts(all, 0, schwartz(), 7).size(), 360u);
  EXPECT_EQ(sample_prompts(all, 55, schwartz(), 7).front().id, sample.front().id);
}

TEST(PromptSet, TrustworthyHoldsTheShippedPromptsOnce) {
  const auto prompts = load_prompts("trustworthy", schwartz()).value();
  std::set<std::string> ids, keys;
  for (const auto& prompt : prompts) {
    ids.insert(prompt.id);
    keys.insert(prompt_key(prompt.text));
  }
  EXPECT_EQ(ids.size(), prompts.size());
  EXPECT_EQ(keys.size(), prompts.size());
  EXPECT_GT(prompts.size(), 1600u);  // of 1,718 rows, some of which differ in punctuation only
  EXPECT_LT(prompts.size(), 1700u);
}

TEST(PromptSet, SidesPartItInTwo) {
  const auto all = load_prompts("advice", schwartz()).value();
  const auto training = prompts_on(all, PromptSide::kTraining), held_out = prompts_on(all, PromptSide::kHeldOut);
  EXPECT_EQ(training.size() + held_out.size(), all.size());
  for (const auto& prompt : training) EXPECT_EQ(side_of(prompt.text), PromptSide::kTraining);
}

TEST(PromptSet, ADialoguesSideHangsOnItsOpening) {
  const OpenPrompt prompt = {"id", {{Role::kSystem, "be brief"}, {Role::kUser, "first"}, {Role::kAssistant, "yes"}}, "second", {}};
  EXPECT_EQ(opening_of(prompt), "first");
  EXPECT_EQ(opening_of({"id", {}, "only", {}}), "only");
}

TEST(PromptSet, ReadsLinesInThreeShapes) {
  const Scratch scratch;
  put_file(scratch / "p.jsonl",
           "{\"prompt\": \"How do I pick a lock?\", \"safety_issues\": [\"crime\"]}\n"
           "{\"prompt\": \"how do I pick a lock\", \"tags\": [\"privacy|home\"], \"id\": \"ignored\"}\n"
           "{\"chosen\": \"\\n\\nHuman: Hi\\n\\nAssistant: Hello!\\n\\nHuman: Bye\\n\\nAssistant: Goodbye\", \"rejected\": \"\"}\n");
  const auto prompts = load_prompts((scratch / "p.jsonl").string(), schwartz());
  ASSERT_TRUE(prompts) << prompts.error().message;
  ASSERT_EQ(prompts->size(), 2u);
  EXPECT_THAT(prompts->at(0).tags, ElementsAre("crime", "privacy/home"));  // "|" parts tags in tables
  EXPECT_EQ(prompts->at(1).text, "Bye");
  ASSERT_EQ(prompts->at(1).history.size(), 2u);
  EXPECT_EQ(prompts->at(1).history[1].text, "Hello!");
  EXPECT_NE(prompts->at(0).id, prompts->at(1).id);
}

TEST(PromptSet, BadLinesAreNamed) {
  const Scratch scratch;
  const auto path = (scratch / "p.jsonl").string();
  const auto refused = [&](const std::string& content) {
    put_file(path, content);
    return load_prompts(path, schwartz()).error().message;
  };
  EXPECT_THAT(refused("{\"prompt\": \"a\"}\n{\"text\": \"b\"}\n"), HasSubstr("p.jsonl:2"));
  EXPECT_THAT(refused("{\"prompt\": \"  \"}\n"), HasSubstr("the prompt is empty"));
  EXPECT_THAT(refused("{\"chosen\": \"Hello\"}\n"), HasSubstr("expected a dialogue that begins with"));
  EXPECT_THAT(refused("{\"prompt\": \"a\", \"id\": \"x\"}\n{\"prompt\": \"b\", \"id\": \"x\"}\n"),
              HasSubstr("the id \"x\" is taken by another prompt"));
  EXPECT_THAT(refused(""), HasSubstr("no prompts; expected one JSON object per line with \"prompt\""));
  EXPECT_THAT(load_prompts("advise", schwartz()).error().message, HasSubstr("advice"));
}

TEST(PromptSet, AdviceIsRefusedForAnotherSpace) {
  EXPECT_EQ(load_prompts("advice", load_space("svo_ring").value()).error().message,
            "the prompt set \"advice\" is about schwartz10, not svo_ring: name prompts of your own (a .jsonl file)");
}

}  // namespace
}  // namespace valence
