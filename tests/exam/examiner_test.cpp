#include <gtest/gtest.h>

#include "fake_model.h"

namespace valence::testing {
namespace {

Error error_of(const ChoiceQuestion& question, Capabilities can = {.scores = true, .generates = true}) {
  auto model = std::make_shared<FakeModel>(constant({0.5, 0.5}));
  model->change_card().can = can;
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {});
  const std::vector<Question> questions{question};
  const auto answers = examiner.ask(questions);
  EXPECT_FALSE(answers);
  EXPECT_EQ(model->groups_run, 0U);
  return answers ? Error{} : answers.error();
}

TEST(Ask, RefusesQuestionsThatAreNotWellMade) {
  const auto good = letter_question("i", {"one", "two"});
  auto bad = good;
  bad.options = {"one"};
  EXPECT_EQ(error_of(bad).message, "item \"i\" of \"unit\": a choice needs at least 2 options, got 1");
  EXPECT_EQ(error_of(bad).code, ErrorCode::kInvalid);
  bad.options = {"one", ""};
  EXPECT_EQ(error_of(bad).message, "item \"i\" of \"unit\": option 2 is empty");
  bad.options.assign(10, "x");
  EXPECT_EQ(error_of(bad).message,
            "item \"i\" of \"unit\": 10 options need 10 labels, but they go from A to I; use the text format");
  bad = good;
  bad.letter_form = "no options here";
  EXPECT_EQ(error_of(bad).message, "item \"i\" of \"unit\": the letter format needs {options} in its letter_form");
  bad = good;
  bad.route = Route::kSampled;
  EXPECT_EQ(error_of(bad).message, "item \"i\" of \"unit\": the sampled route needs at least 1 draw per layout, got 0");
  bad.route = Route::kGiven;
  EXPECT_EQ(error_of(bad).message, "item \"i\" of \"unit\": given answers are not asked for");
}

TEST(Ask, RefusesTextQuestionsThatCannotBeScored) {
  auto bad = letter_question("i", {"same", "other", "same"});
  bad.format = AnswerFormat::kText;
  EXPECT_EQ(error_of(bad).message,
            "item \"i\" of \"unit\": options 1 and 3 are both \"same\"; the text format cannot tell them apart");
  bad.text_form.clear();
  EXPECT_EQ(error_of(bad).message, "item \"i\" of \"unit\": the text format needs a text_form");
  bad = letter_question("i", {"one", "two"});
  bad.format = AnswerFormat::kText;
  bad.listed = {"one"};
  EXPECT_EQ(error_of(bad).message, "item \"i\" of \"unit\": 1 options are listed, there are 2");
  bad.listed.clear();
  bad.normalisation = Normalisation::kUnconditional;
  EXPECT_EQ(error_of(bad).message,
            "item \"i\" of \"unit\": normalisation \"unconditional\" needs an unconditional_form");
}

TEST(Ask, SaysWhatTheModelCannotDo) {
  auto question = letter_question("i", {"one", "two"});
  EXPECT_EQ(error_of(question, {.generates = true}).message,
            "model fake: it does not give log-probabilities, which exact answers need; ask by the sampled route");
  question.route = Route::kSampled;
  question.draws = 1;
  EXPECT_EQ(error_of(question, {.scores = true}).message,
            "model fake: it does not generate text, which sampled answers need; ask by the exact route");
  EXPECT_EQ(error_of(question, {.scores = true}).code, ErrorCode::kUnsupported);
}

TEST(Ask, AnswersInTheOrderOfTheQuestions) {
  const auto subject = subject_of(std::make_shared<FakeModel>([](const Request& request) -> Result<Response> {
    const auto& wire = std::get<ScoreRequest>(request).context.wire;
    return constant(wire.find("number 3?") != std::string::npos ? std::vector{0.9, 0.1} : std::vector{0.2, 0.8})(request);
  }, 3));
  Examiner examiner(subject, nullptr, 0, {});
  std::vector<Question> questions;
  for (int i = 0; i < 7; ++i) {
    auto question = letter_question(fmt::format("{}", i), {"one", "two"});
    question.letter_form = fmt::format("number {}?\n{{options}}", i);
    question.layouts.orders = OrderDesign::kPaper;
    questions.emplace_back(question);
  }
  const auto answers = examiner.ask(questions).value();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(choice(answers[i]).rows[0].item, fmt::format("{}", i));
    EXPECT_NEAR(choice(answers[i]).probability[0], i == 3 ? 0.9 : 0.2, 1e-12);
  }
}

TEST(Ask, RendersOncePerLayoutWhateverTheDraws) {
  auto model = std::make_shared<FakeModel>(saying("A"));
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {});
  auto question = letter_question("i", {"one", "two"});
  question.route = Route::kSampled;
  question.draws = 10;
  const std::vector<Question> questions{question};
  ASSERT_TRUE(examiner.ask(questions));
  EXPECT_EQ(model->renders, 2U);
  EXPECT_EQ(examiner.statistics().requests, 20U);
}

TEST(Ask, RecordsTheFirstQuestionAsRendered) {
  const auto subject = subject_of(std::make_shared<FakeModel>(constant({0.5, 0.5})));
  Examiner examiner(subject, nullptr, 0, {});
  const std::vector<Question> questions{letter_question("i", {"one", "two"})};
  ASSERT_TRUE(examiner.ask(questions));
  EXPECT_EQ(examiner.statistics().first_prompt.substr(0, 3), "<{\"");
  EXPECT_FALSE(examiner.statistics().first_tokens.empty());
}

TEST(Ask, AQuestionLongerThanTheContextFailsAlone) {
  auto model = std::make_shared<FakeModel>(constant({0.5, 0.5}));
  model->change_card().context_limit = 1000;
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {});
  auto lengthy = letter_question("long", {"one", "two"});
  lengthy.letter_form = std::string(2000, 'x') + "{options}";
  const std::vector<Question> questions{lengthy, letter_question("short", {"one", "two"})};
  const auto answers = examiner.ask(questions).value();
  EXPECT_EQ(choice(answers[0]).status, Status::kError);
  EXPECT_TRUE(choice(answers[0]).rows[0].text.starts_with("the question takes 2,0"));
  EXPECT_TRUE(choice(answers[0]).rows[0].text.ends_with(" tokens, the model's context holds 1,000"));
  EXPECT_EQ(choice(answers[1]).status, Status::kScored);
}

TEST(Ask, NothingAskedIsNothingAnswered) {
  const auto subject = subject_of(std::make_shared<FakeModel>(constant({0.5, 0.5})));
  Examiner examiner(subject, nullptr, 0, {});
  EXPECT_TRUE(examiner.ask({}).value().empty());
}

/// Writes down what it is told.
class Heard : public Progress {
 public:
  void start(std::string_view what, std::size_t total, std::string_view unit) override {
    text += fmt::format("start {} {} {};", what, total, unit);
  }
  void advance(std::size_t count) override { text += fmt::format("advance {};", count); }
  void note(std::string_view line) override { text += fmt::format("note {};", line); }
  void finish() override { text += "finish;"; }

  std::string text;
};

TEST(Ask, ReportsTheWorkThatIsMissing) {
  Heard heard;
  const auto subject = subject_of(std::make_shared<FakeModel>(constant({0.5, 0.5}), 1));
  Examiner examiner(subject, nullptr, 0, {.progress = &heard});
  const std::vector<Question> questions{letter_question("i", {"one", "two"})};
  ASSERT_TRUE(examiner.ask(questions));
  EXPECT_EQ(heard.text, "start asking 1 question 20 tokens;finish;");
}

TEST(Ask, LayoutsDependOnTheSeedAndTheTag) {
  auto question = letter_question("i", {"1", "2", "3", "4", "5", "6", "7", "8", "9"});
  question.layouts = {OrderDesign::kRandom, LabelSet::kLetters, 1};
  const auto place = [&](std::uint64_t seed, std::string item) {
    const auto subject = subject_of(std::make_shared<FakeModel>(constant(std::vector<double>(9, 0.1))));
    Examiner examiner(subject, nullptr, 0, {.seed = seed});
    question.tag.item = std::move(item);
    const std::vector<Question> questions{question};
    return choice(examiner.ask(questions).value()[0]).rows[0].place;
  };
  EXPECT_EQ(place(1, "i"), place(1, "i"));
  EXPECT_NE(place(1, "i"), place(2, "i"));
  EXPECT_NE(place(1, "i"), place(1, "j"));
}

}  // namespace
}  // namespace valence::testing
