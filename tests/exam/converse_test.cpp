#include <gtest/gtest.h>

#include "fake_model.h"

namespace valence::testing {
namespace {

/// Asks `turns` questions one after the other, each with what was said before in its history.
class Chain : public Dialogue {
 public:
  Chain(std::string name, std::size_t turns) : name_(std::move(name)), turns_(turns) {}

  std::vector<Question> next(std::span<const Answer> history) override {
    ++calls;
    if (history.size() >= turns_) return {};
    auto question = letter_question(fmt::format("{} {}", name_, history.size()), {"one", "two"});
    question.layouts.orders = OrderDesign::kPaper;
    for (const auto& answer : history) {
      question.history.push_back({Role::kUser, choice(answer).asked});
      question.history.push_back({Role::kAssistant, choice(answer).said});
    }
    return {question};
  }

  std::size_t calls = 0;

 private:
  std::string name_;
  std::size_t turns_;
};

/// First an open question and a choice at once, then nothing.
class Pair : public Dialogue {
 public:
  std::vector<Question> next(std::span<const Answer> history) override {
    if (!history.empty()) return {};
    OpenQuestion open;
    open.tag.item = "open";
    open.text = "Say hello.";
    return {open, letter_question("choice", {"one", "two"})};
  }
};

FakeModel::Respond both_ways() {
  return [](const Request& request) -> Result<Response> {
    if (std::holds_alternative<ScoreRequest>(request)) return constant({0.1, 0.9})(request);
    return saying("hello")(request);
  };
}

TEST(Converse, DialoguesAdvanceTogetherAndEndByThemselves) {
  auto model = std::make_shared<FakeModel>(both_ways(), 100);
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {});
  std::vector<std::unique_ptr<Dialogue>> dialogues;
  dialogues.push_back(std::make_unique<Chain>("a", 3));
  dialogues.push_back(std::make_unique<Pair>());
  dialogues.push_back(std::make_unique<Chain>("b", 1));
  dialogues.push_back(std::make_unique<Chain>("c", 0));
  const auto answers = examiner.converse(dialogues).value();
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0].size(), 3U);
  EXPECT_EQ(answers[2].size(), 1U);
  EXPECT_TRUE(answers[3].empty());
  EXPECT_EQ(choice(answers[0][2]).rows[0].item, "a 2");
  ASSERT_EQ(answers[1].size(), 2U);
  EXPECT_EQ(std::get<OpenAnswer>(answers[1][0]).completion.text, "hello");
  EXPECT_NEAR(choice(answers[1][1]).captured_mass, 1.0, 1e-12);
  EXPECT_EQ(model->groups_run, 3U);  // one wave each: all dialogues' questions were planned together
}

TEST(Converse, ADialogueThatIsOverIsNotAskedAgain) {
  const auto subject = subject_of(std::make_shared<FakeModel>(both_ways()));
  Examiner examiner(subject, nullptr, 0, {});
  std::vector<std::unique_ptr<Dialogue>> dialogues;
  dialogues.push_back(std::make_unique<Chain>("over", 0));
  dialogues.push_back(std::make_unique<Chain>("long", 5));
  ASSERT_TRUE(examiner.converse(dialogues));
  EXPECT_EQ(static_cast<Chain&>(*dialogues[0]).calls, 1U);
  EXPECT_EQ(static_cast<Chain&>(*dialogues[1]).calls, 6U);
}

TEST(Converse, WhatWasSaidIsHeardInTheNextQuestion) {
  std::string last;
  const auto subject = subject_of(std::make_shared<FakeModel>([&](const Request& request) -> Result<Response> {
    last = std::get<ScoreRequest>(request).context.wire;
    return constant({0.0, 1.0})(request);
  }));
  Examiner examiner(subject, nullptr, 0, {});
  std::vector<std::unique_ptr<Dialogue>> dialogues;
  dialogues.push_back(std::make_unique<Chain>("a", 2));
  ASSERT_TRUE(examiner.converse(dialogues));
  const auto heard = from_wire(last).value();
  ASSERT_EQ(heard.messages.size(), 3U);
  EXPECT_EQ(heard.messages[0].text, "Which?\nA: one\nB: two\nAnswer A or B.");
  EXPECT_EQ(heard.messages[1].role, Role::kAssistant);
  EXPECT_EQ(heard.messages[1].text, "B");
}

}  // namespace
}  // namespace valence::testing
