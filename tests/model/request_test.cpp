#include "valence/model/request.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace valence {
namespace {

ContinuationScores sample_scores() {
  return {{{{-0.5, -1.25}, std::nullopt}, {{}, -0.0}, {{-std::numeric_limits<double>::infinity()}, -2.0}}};
}

Completion sample_completion() { return {"Ja, gern.", {5, -1, 70000}, {-0.1, -0.2, -0.3}, FinishReason::kStopString}; }

std::string bits_of(double value) { return fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value)); }

TEST(ContinuationScore, AddsTokensAndTerminator) {
  EXPECT_DOUBLE_EQ((ContinuationScore{{-0.5, -1.25}, std::nullopt}.total()), -1.75);
  EXPECT_DOUBLE_EQ((ContinuationScore{{-0.5, -1.25}, -2.0}.total()), -3.75);
  EXPECT_DOUBLE_EQ((ContinuationScore{{}, std::nullopt}.total()), 0.0);
}

TEST(Response, ScoresComeBackToTheBit) {
  const auto back = decode_response(encode(sample_scores()));
  ASSERT_TRUE(back) << back.error().message;
  const auto& scores = std::get<ContinuationScores>(*back).continuations;
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(scores[0].token_logprobs, (std::vector<double>{-0.5, -1.25}));
  EXPECT_FALSE(scores[0].terminator_logprob);
  EXPECT_TRUE(scores[1].token_logprobs.empty());
  EXPECT_EQ(bits_of(*scores[1].terminator_logprob), bits_of(-0.0));
  EXPECT_TRUE(std::isinf(scores[2].token_logprobs[0]));
}

TEST(Response, CompletionsComeBackWhole) {
  const auto back = decode_response(encode(sample_completion()));
  ASSERT_TRUE(back) << back.error().message;
  const auto& completion = std::get<Completion>(*back);
  EXPECT_EQ(completion.text, "Ja, gern.");
  EXPECT_EQ(completion.tokens, (std::vector<TokenId>{5, -1, 70000}));
  EXPECT_EQ(completion.logprobs, (std::vector<double>{-0.1, -0.2, -0.3}));
  EXPECT_EQ(completion.finish, FinishReason::kStopString);
}

TEST(Response, TheBytesAreTheDocumentedOnes) {
  using std::string_literals::operator""s;
  EXPECT_EQ(encode(Completion{"hi", {258}, {1.0}, FinishReason::kLength}),
            "\x01\x01"
            "\x02\0\0\0hi"
            "\x01\0\0\0\x02\x01\0\0"
            "\x01\0\0\0\0\0\0\0\0\0\xF0\x3F"
            "\x02"s);
}

TEST(Response, EveryTruncationIsCorrupt) {
  for (const Response& response : {Response(sample_scores()), Response(sample_completion())}) {
    const auto bytes = encode(response);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto back = decode_response(std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(back) << size;
      EXPECT_EQ(back.error().code, ErrorCode::kCorrupt) << size;
    }
    EXPECT_EQ(decode_response(bytes + "x").error().code, ErrorCode::kCorrupt);
  }
}

TEST(Response, DamageIsNamedWithItsPlace) {
  auto bytes = encode(sample_completion());
  bytes.back() = 7;  // no such finish reason
  const auto back = decode_response(bytes);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().message,
            fmt::format("a stored response of {0} bytes is damaged at or before byte {0}", bytes.size()));
}

TEST(Response, AnotherVersionIsAMismatch) {
  auto bytes = encode(sample_scores());
  bytes[0] = 9;
  const auto back = decode_response(bytes);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(back.error().message, "a stored response has format 9, this version reads format 1");
}

TEST(Response, AHugeCountTakesNoMemory) {
  const std::string scores = {1, 0, -1, -1, -1, -1};
  const std::string completion = {1, 1, 0, 0, 0, 0, -1, -1, -1, -1};
  EXPECT_EQ(decode_response(scores).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decode_response(completion).error().code, ErrorCode::kCorrupt);
}

RC_GTEST_PROP(Response, WhatDecodesEncodesToTheSameBytes, (const std::string& tail)) {
  for (const char kind : {'\0', '\1'}) {
    const auto bytes = std::string{'\1', kind} + tail;
    if (const auto back = decode_response(bytes)) RC_ASSERT(encode(*back) == bytes);
  }
}

RC_GTEST_PROP(Response, AChangedByteIsRefusedOrDecodesToSomethingElse, ()) {
  auto bytes = encode(sample_scores());
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ *rc::gen::inRange(1, 256));
  const auto back = decode_response(bytes);
  if (back) RC_ASSERT(encode(*back) == bytes);
}

TEST(RequestDigest, DependsOnEveryField) {
  const ScoreRequest score{{{1}, ""}, {"A", "B"}, "."};
  const GenerateRequest generate{{{1}, ""}, {}, {}};
  std::vector<Request> requests = {score, generate};
  const auto vary = [&](auto request, const auto& change) {
    change(request);
    requests.push_back(request);
  };
  vary(score, [](auto& r) { r.context.tokens = {2}; });
  vary(score, [](auto& r) { r.continuations = {"AB"}; });
  vary(score, [](auto& r) { r.continuations = {"A", "B", ""}; });
  vary(score, [](auto& r) { r.terminator = "!"; });
  vary(generate, [](auto& r) { r.context.wire = "x"; });
  vary(generate, [](auto& r) { r.sampling.temperature = 0.5; });
  vary(generate, [](auto& r) { r.sampling.top_p = 0.5; });
  vary(generate, [](auto& r) { r.sampling.max_tokens = 1; });
  vary(generate, [](auto& r) { r.sampling.seed = 1; });
  vary(generate, [](auto& r) { r.sampling.stop = {"x"}; });
  vary(generate, [](auto& r) { r.constraint.kind = Constraint::Kind::kGrammar; });
  vary(generate, [](auto& r) { r.constraint.text = "x"; });
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(request_digest(requests[i]), request_digest(requests[i]));
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(request_digest(requests[i]), request_digest(requests[j])) << i << j;
  }
}

TEST(FinishReason, HasNames) {
  EXPECT_EQ(to_string(FinishReason::kEndOfTurn), "end_of_turn");
  EXPECT_EQ(to_string(FinishReason::kStopString), "stop_string");
  EXPECT_EQ(to_string(FinishReason::kLength), "length");
}

}  // namespace
}  // namespace valence
