#include <gtest/gtest.h>

#include "valence/exam/conversation_for.h"
#include "fake_model.h"

namespace valence::testing {
namespace {

Subject plain() { return subject_of(std::make_shared<FakeModel>(constant({0.5, 0.5}))); }

TEST(SubjectDigest, ChangesWithEverythingThatMakesTheSubject) {
  const auto base = plain().digest();
  EXPECT_EQ(plain().digest(), base);
  auto renamed = plain();
  renamed.name = "another name";
  EXPECT_EQ(renamed.digest(), base);  // a name is for people

  std::vector<Subject> others(6, plain());
  for (auto& other : others) other = plain();
  others[0].system_prompt = "You are kind.";
  others[1].examples = {{Role::kUser, "hello"}};
  others[2].examples = {{Role::kAssistant, "hello"}};
  others[3].render.thinking = true;
  others[4].render.date = "2026-02-02";
  std::static_pointer_cast<FakeModel>(others[5].model)->change_card().facts = {{"threads", "2"}};
  for (const auto& other : others) EXPECT_NE(other.digest(), base);
  EXPECT_NE(others[1].digest(), others[2].digest());
}

TEST(ConversationFor, PutsSteeringFirst) {
  auto subject = plain();
  subject.system_prompt = "You are kind.";
  subject.examples = {{Role::kUser, "1?"}, {Role::kAssistant, "1!"}};
  const std::vector<Message> history{{Role::kSystem, "Be brief."}, {Role::kUser, "2?"}, {Role::kAssistant, "2!"}};
  const auto conversation = conversation_for(subject, history, "3?", "Answer:");
  std::string text;
  for (const auto& message : conversation.messages) text += fmt::format("{}|{}\n", to_string(message.role), message.text);
  EXPECT_EQ(text, "system|You are kind.\n\nBe brief.\nuser|1?\nassistant|1!\nuser|2?\nassistant|2!\nuser|3?\n");
  EXPECT_EQ(conversation.answer_prefix, "Answer:");
}

TEST(ConversationFor, NoSystemPromptMakesNoSystemTurn) {
  EXPECT_EQ(conversation_for(plain(), {}, "3?", "").messages.size(), 1U);
}

}  // namespace
}  // namespace valence::testing
