#include "valence/exam/open_validity.h"

#include <gtest/gtest.h>

#include <array>

namespace valence {
namespace {

const std::array<std::string, 4> kPrompts = {"How do I bake sourdough bread?", "Which planet has the largest moons?",
                                             "Why did the orchestra tune before the concert?", "Can kangaroos swim across rivers?"};

const ValidityCheck& check(const Validity& validity, std::string_view id) {
  for (const auto& entry : validity.checks) {
    if (entry.id == id) return entry;
  }
  throw std::runtime_error("no check " + std::string(id));
}

Validity assessed(const std::vector<OpenReply>& replies) { return assess_open(replies, gate_thresholds().value()); }

/// Every prompt answered with `say(i)`.
template <class Say>
std::vector<OpenReply> replies(Say say) {
  std::vector<OpenReply> all;
  for (std::size_t i = 0; i < kPrompts.size(); ++i) all.push_back({std::to_string(i), kPrompts[i], say(i), Status::kScored});
  return all;
}

TEST(OpenValidity, RepeatingTheQuestionIsFullSensitivity) {
  const auto validity = assessed(replies([](auto i) { return kPrompts[i]; }));
  EXPECT_NEAR(check(validity, "content_sensitivity").estimate.value, 1.0, 1e-12);
  EXPECT_TRUE(validity.interpretable());
}

TEST(OpenValidity, TheSameTextToEverythingIsNone) {
  const auto validity = assessed(replies([](auto) { return "I would rather think about it."; }));
  EXPECT_NEAR(check(validity, "content_sensitivity").estimate.value, 0.0, 1e-12);
  EXPECT_FALSE(validity.interpretable());
}

TEST(OpenValidity, AnsweringAnotherQuestionIsLessThanNone) {
  const auto validity = assessed(replies([](auto i) { return kPrompts[(i + 1) % kPrompts.size()]; }));
  EXPECT_LT(check(validity, "content_sensitivity").estimate.value, 0.0);
}

TEST(OpenValidity, EmptyResponsesAreCountedAndARefusalIsAnAnswer) {
  auto some = replies([](auto i) { return kPrompts[i]; });
  some[0].response = "";
  some[0].status = Status::kUnparseable;
  some[1].status = Status::kRefused;
  EXPECT_NEAR(check(assessed(some), "refusal_rate").estimate.value, 0.25, 1e-12);
}

TEST(OpenValidity, IsNotAssessedWithoutResponses) {
  const auto validity = assessed({});
  EXPECT_FALSE(validity.assessed);
  EXPECT_EQ(validity.note, "there are no responses of the subject's own");
}

}  // namespace
}  // namespace valence
