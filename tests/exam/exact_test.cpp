// The exact route: probabilities from scores of continuations, worked by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "fake_model.h"

namespace valence::testing {
namespace {

/// Puts one question to a model that answers by `respond`.
ChoiceAnswer answer_to(const ChoiceQuestion& question, FakeModel::Respond respond) {
  const auto subject = subject_of(std::make_shared<FakeModel>(std::move(respond)));
  Examiner examiner(subject, nullptr, 0, {});
  const std::vector<Question> questions{question};
  const auto answers = examiner.ask(questions);
  EXPECT_TRUE(answers) << answers.error().message;
  return choice(answers.value().front());
}

FakeModel::Respond by_token_lists(std::vector<ContinuationScore> scores) {
  return [scores](const Request&) -> Result<Response> { return Response(ContinuationScores{scores}); };
}

TEST(ExactLetters, AreNormalisedAndTheirMassIsKept) {
  auto question = letter_question("i", {"one", "two"});
  question.layouts.orders = OrderDesign::kPaper;
  const auto answer = answer_to(question, constant({0.6, 0.2}));
  ASSERT_EQ(answer.rows.size(), 1U);
  EXPECT_NEAR(answer.probability[0], 0.75, 1e-12);
  EXPECT_NEAR(answer.captured_mass, 0.8, 1e-12);
  EXPECT_EQ(answer.rows[0].layout, "paper, A–B");
  EXPECT_EQ(answer.rows[0].route, Route::kExact);
  EXPECT_EQ(answer.rows[0].draws, 0U);
  EXPECT_EQ(answer.rows[0].digest.size(), 64U);
}

TEST(ExactLetters, AreFiledInTheItemsOwnOrder) {
  // Always the first label, with 0.9: in the reverse order that is the last option.
  const auto answer = answer_to(letter_question("i", {"one", "two", "three"}), constant({0.9, 0.05, 0.05}));
  ASSERT_EQ(answer.rows.size(), 2U);
  EXPECT_NEAR(answer.rows[0].probability[0], 0.9, 1e-12);
  EXPECT_NEAR(answer.rows[1].probability[2], 0.9, 1e-12);
  EXPECT_EQ(answer.rows[1].place, (std::vector<std::size_t>{2, 1, 0}));
  EXPECT_NEAR(answer.probability[0], (0.9 + 0.05) / 2, 1e-12);
  EXPECT_NEAR(answer.probability[1], 0.05, 1e-12);
}

TEST(ExactLetters, CountTheTerminatorOfALabelThatBeginsAnother) {
  auto question = letter_question("i", {"one", "two"});
  question.layouts.orders = OrderDesign::kPaper;
  const auto answer =
      answer_to(question, by_token_lists({scored({std::log(0.8)}, std::log(0.25)), scored({std::log(0.8), std::log(0.5)})}));
  EXPECT_NEAR(answer.probability[0], 0.2 / 0.6, 1e-12);
  EXPECT_NEAR(answer.captured_mass, 0.6, 1e-12);
}

TEST(ExactLetters, AreScoredHoweverSmallTheirMass) {
  auto question = letter_question("i", {"one", "two"});
  question.layouts.orders = OrderDesign::kPaper;
  const auto answer = answer_to(question, by_token_lists({scored({-900.0}), scored({-900.0 + std::log(3.0)})}));
  EXPECT_EQ(answer.status, Status::kScored);
  EXPECT_NEAR(answer.probability[1], 0.75, 1e-12);
  EXPECT_EQ(answer.captured_mass, 0.0);  // exp(−899) is no double
}

TEST(ExactLetters, WithoutAnyProbabilityAreAnError) {
  const auto answer = answer_to(letter_question("i", {"one", "two"}), constant({0.0, 0.0}));
  EXPECT_EQ(answer.status, Status::kError);
  EXPECT_TRUE(answer.probability.empty());
  EXPECT_EQ(answer.rows[0].text, "the model gives none of the options any probability");
}

TEST(ExactLetters, OfOneFailedLayoutAreAveragedOverTheOthers) {
  std::size_t calls = 0;
  const auto answer = answer_to(letter_question("i", {"one", "two"}), [&](const Request& request) -> Result<Response> {
    if (calls++ == 0) return fail(ErrorCode::kModel, "decode failed");
    return constant({0.3, 0.7})(request);
  });
  EXPECT_EQ(answer.status, Status::kScored);
  EXPECT_EQ(answer.rows[0].status, Status::kError);
  EXPECT_EQ(answer.rows[0].text, "decode failed");
  EXPECT_NEAR(answer.probability[0], 0.7, 1e-12);
  EXPECT_NE(answer.asked.find("A: two\nB: one"), std::string::npos);  // what is said was said in the layout that worked
}

// ---- text: two options, "ab" of two tokens and "abcdef" of three

constexpr double kShort = -2.0;  // log P("ab")
constexpr double kLong = -4.5;   // log P("abcdef")

ChoiceQuestion text_question(Normalisation normalisation) {
  auto question = letter_question("i", {"ab", "abcdef"});
  question.format = AnswerFormat::kText;
  question.normalisation = normalisation;
  return question;
}

FakeModel::Respond two_texts() {
  return by_token_lists({scored({-1.5, -0.5}, -0.25), scored({-1.5, -0.5, -2.5})});
}

double two_way(double first, double second) { return 1.0 / (1.0 + std::exp(second - first)); }

TEST(ExactText, WithoutNormalisationIsTheProbabilityOfTheWholeText) {
  const auto answer = answer_to(text_question(Normalisation::kNone), two_texts());
  EXPECT_NEAR(answer.probability[0], two_way(kShort - 0.25, kLong), 1e-12);
  EXPECT_NEAR(answer.captured_mass, std::exp(kShort - 0.25) + std::exp(kLong), 1e-12);
  EXPECT_EQ(answer.rows[0].layout, "text");
}

TEST(ExactText, OptionsThatAreListedStandInTheOrdersAskedFor) {
  auto question = text_question(Normalisation::kNone);
  question.text_form = "Of {menu}, first {first}, {{{second}}}?";
  question.listed = {"short {first}", "long"};
  question.layouts.orders = OrderDesign::kReversed;
  const auto answer = answer_to(question, two_texts());
  EXPECT_EQ(answer.asked, "Of long; short {first}, first long, {short {first}}?");
  EXPECT_EQ(answer.rows[0].layout, "reversed");
  EXPECT_EQ(answer.rows[0].place, (std::vector<std::size_t>{1, 0}));
  EXPECT_NEAR(answer.probability[0], two_way(kShort - 0.25, kLong), 1e-12);  // by option, wherever it is listed
  question.layouts.orders = OrderDesign::kBoth;
  EXPECT_EQ(answer_to(question, two_texts()).rows.size(), 2U);
}

TEST(ExactText, PerTokenLeavesTheTerminatorOut) {
  const auto answer = answer_to(text_question(Normalisation::kToken), two_texts());
  EXPECT_NEAR(answer.probability[0], two_way(kShort / 2 * 2.5, kLong / 3 * 2.5), 1e-12);
}

TEST(ExactText, PerCharacterCountsCodePoints) {
  const auto answer = answer_to(text_question(Normalisation::kCharacter), two_texts());
  EXPECT_NEAR(answer.probability[0], two_way(kShort / 2 * 4, kLong / 6 * 4), 1e-12);
  auto umlauts = text_question(Normalisation::kCharacter);
  umlauts.options = {"äö", "äöüßéè"};
  EXPECT_NEAR(answer_to(umlauts, two_texts()).probability[0], two_way(kShort / 2 * 4, kLong / 6 * 4), 1e-12);
}

TEST(ExactText, UnconditionalTakesOffWhatTheTextIsWorthByItself) {
  auto question = text_question(Normalisation::kUnconditional);
  question.unconditional_form = "Say something.";
  const auto answer = answer_to(question, [](const Request& request) -> Result<Response> {
    const bool neutral = std::get<ScoreRequest>(request).context.wire.find("Say something.") != std::string::npos;
    return Response(ContinuationScores{neutral ? std::vector{scored({-1.0}), scored({-5.0})}
                                               : std::vector{scored({-2.0}), scored({-4.5})}});
  });
  EXPECT_NEAR(answer.probability[0], two_way(-2.0 + 1.0, -4.5 + 5.0), 1e-12);
  EXPECT_NEAR(answer.captured_mass, std::exp(-2.0) + std::exp(-4.5), 1e-12);
}

TEST(ExactText, OfAnUnconditionalThatFailedIsAnError) {
  auto question = text_question(Normalisation::kUnconditional);
  question.unconditional_form = "Say something.";
  const auto answer = answer_to(question, [](const Request& request) -> Result<Response> {
    const bool neutral = std::get<ScoreRequest>(request).context.wire.find("Say something.") != std::string::npos;
    if (neutral) return fail(ErrorCode::kModel, "no room");
    return Response(ContinuationScores{{scored({-2.0}), scored({-4.5})}});
  });
  EXPECT_EQ(answer.status, Status::kError);
  EXPECT_EQ(answer.rows[0].text, "no room");
}

// ---- what is said for histories

TEST(Said, FollowsTheFirstLayoutsDistribution) {
  std::vector<double> counts(2, 0.0);
  const auto subject = subject_of(std::make_shared<FakeModel>(constant({0.2, 0.8})));
  Examiner examiner(subject, nullptr, 0, {.seed = 3});
  std::vector<Question> questions;
  for (int i = 0; i < 2000; ++i) questions.emplace_back(letter_question(fmt::format("item {}", i), {"one", "two"}));
  const auto answers = examiner.ask(questions).value();
  for (const auto& answer : answers) {
    ++counts[choice(answer).drawn];
    EXPECT_EQ(choice(answer).said, choice(answer).drawn == 0 ? "A" : "B");
  }
  EXPECT_NEAR(counts[1] / 2000.0, 0.8, 0.045);  // five standard errors
}

TEST(Said, IsTheTextInTheTextFormat) {
  auto question = letter_question("i", {"one", "two"});
  question.format = AnswerFormat::kText;
  const auto answer = answer_to(question, constant({0.0, 1.0}));
  EXPECT_EQ(answer.said, "two");
  EXPECT_EQ(answer.asked, "Which?");
}

}  // namespace
}  // namespace valence::testing
