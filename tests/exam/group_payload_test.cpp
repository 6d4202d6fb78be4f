#include "group_payload.h"

#include <gtest/gtest.h>

namespace valence {
namespace {

struct Fixture {
  Plan plan;
  std::vector<Response> responses;
};

Fixture example() {
  Fixture made;
  made.plan.requests.emplace_back(ScoreRequest{{}, {"A", "B"}, {}});
  made.plan.requests.emplace_back(GenerateRequest{});
  made.plan.groups.push_back({{}, {0, 1}, 2});
  made.responses.emplace_back(ContinuationScores{{{{-0.5}, std::nullopt}, {{-1.5, -2.0}, -0.25}}});
  made.responses.emplace_back(Completion{"hello", {1, 2}, {-0.1, -0.2}, FinishReason::kLength});
  return made;
}

TEST(GroupPayload, ComesBackAsItWas) {
  const auto made = example();
  const auto back = decode_group(encode_group(made.responses), made.plan, made.plan.groups[0]);
  ASSERT_TRUE(back) << back.error().message;
  const auto& scores = std::get<ContinuationScores>(back->at(0));
  EXPECT_EQ(scores.continuations[1].token_logprobs, (std::vector{-1.5, -2.0}));
  EXPECT_EQ(scores.continuations[1].terminator_logprob, -0.25);
  EXPECT_EQ(std::get<Completion>(back->at(1)).text, "hello");
}

TEST(GroupPayload, EveryFlippedByteIsFound) {
  const auto made = example();
  const auto bytes = encode_group(made.responses);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const auto back = decode_group(damaged, made.plan, made.plan.groups[0]);
    ASSERT_FALSE(back) << i;
    EXPECT_EQ(back.error().code, ErrorCode::kCorrupt);
  }
}

TEST(GroupPayload, EveryCutIsFound) {
  const auto made = example();
  const auto bytes = encode_group(made.responses);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(decode_group(std::string_view(bytes).substr(0, size), made.plan, made.plan.groups[0])) << size;
  }
}

TEST(GroupPayload, AnswersToOtherQuestionsAreRefused) {
  auto made = example();
  const auto bytes = encode_group(made.responses);
  made.plan.requests[0] = ScoreRequest{{}, {"A", "B", "C"}, {}};
  EXPECT_EQ(decode_group(bytes, made.plan, made.plan.groups[0]).error().message, "it answers another question");
  made.plan.groups[0].requests = {1};
  EXPECT_EQ(decode_group(bytes, made.plan, made.plan.groups[0]).error().message, "it holds 2 answers instead of 1");
}

}  // namespace
}  // namespace valence
