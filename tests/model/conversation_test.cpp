#include "valence/model/conversation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace valence {
namespace {

Conversation sample() {
  return {{{Role::kSystem, "Be brief."}, {Role::kUser, "A \"b\"\n<|im_end|>"}, {Role::kAssistant, ""}}, "Answer:"};
}

void expect_equal(const Conversation& a, const Conversation& b) {
  EXPECT_EQ(a.answer_prefix, b.answer_prefix);
  ASSERT_EQ(a.messages.size(), b.messages.size());
  for (std::size_t i = 0; i < a.messages.size(); ++i) {
    EXPECT_EQ(a.messages[i].role, b.messages[i].role);
    EXPECT_EQ(a.messages[i].text, b.messages[i].text);
  }
}

std::string message_of(std::string_view wire) {
  const auto conversation = from_wire(wire);
  if (conversation) return "no error";
  EXPECT_EQ(conversation.error().code, ErrorCode::kInvalid);
  return conversation.error().message;
}

TEST(Wire, IsTheJsonThatEndpointsTake) {
  EXPECT_EQ(to_wire({{{Role::kUser, "Hi"}}, "Answer:"}),
            R"({"messages":[{"role":"user","content":"Hi"}],"answer_prefix":"Answer:"})");
  EXPECT_EQ(to_wire({}), R"({"messages":[],"answer_prefix":""})");
}

TEST(Wire, GivesTheConversationBack) {
  const auto back = from_wire(to_wire(sample()));
  ASSERT_TRUE(back) << back.error().message;
  expect_equal(*back, sample());
}

TEST(Wire, InvalidTextIsReplacedNotRefused) {
  const auto back = from_wire(to_wire({{{Role::kUser, "a\xff"}}, ""}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->messages[0].text, "a\xEF\xBF\xBD");
}

TEST(Wire, SaysWhatIsWrongWithADocument) {
  EXPECT_EQ(message_of("[]"), R"(conversation: should be {"messages": [...], "answer_prefix": text})");
  EXPECT_EQ(message_of(R"({"messages":[]})"), R"(conversation: should be {"messages": [...], "answer_prefix": text})");
  EXPECT_EQ(message_of(R"({"messages":[{"role":"user"}],"answer_prefix":""})"),
            R"(conversation: message 1 should be {"role": text, "content": text})");
  EXPECT_EQ(message_of(R"({"messages":[{"role":"user","content":"","name":"x"}],"answer_prefix":""})"),
            R"(conversation: message 1 should be {"role": text, "content": text})");
  EXPECT_EQ(message_of(R"({"messages":[{"role":"tool","content":""}],"answer_prefix":""})"),
            R"(conversation: message 1 has the role "tool"; roles are system, user, assistant)");
  EXPECT_TRUE(message_of("{").starts_with("conversation:")) << message_of("{");
}

TEST(PromptDigest, DependsOnTokensAndWire) {
  const Prompt tokens{{1, 2}, ""}, other{{1, 3}, ""}, wire{{1, 2}, "x"};
  EXPECT_EQ(tokens.digest(), (Prompt{{1, 2}, ""}.digest()));
  EXPECT_NE(tokens.digest(), other.digest());
  EXPECT_NE(tokens.digest(), wire.digest());
}

RC_GTEST_PROP(Wire, SurvivesAnyBytes, (const std::string& bytes)) {
  const auto first = from_wire(to_wire({{{Role::kUser, bytes}}, bytes}));
  RC_ASSERT(first.has_value());
  RC_ASSERT(to_wire(*first) == to_wire({{{Role::kUser, bytes}}, bytes}));
  from_wire(bytes);
}

}  // namespace
}  // namespace valence
