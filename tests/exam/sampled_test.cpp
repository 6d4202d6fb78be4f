// The sampled route and open questions.
#include <gtest/gtest.h>

#include <set>

#include "fake_model.h"

namespace valence::testing {
namespace {

ChoiceQuestion sampled_question(std::size_t draws) {
  auto question = letter_question("i", {"one", "two"});
  question.route = Route::kSampled;
  question.draws = draws;
  question.layouts.orders = OrderDesign::kPaper;
  return question;
}

/// Says one text after the other.
FakeModel::Respond in_turn(std::vector<std::string> texts) {
  return [texts, at = std::size_t{0}](const Request&) mutable -> Result<Response> {
    const auto text = texts[at++ % texts.size()];
    if (text == "!") return fail(ErrorCode::kModel, "decode failed");
    return Response(Completion{text, {}, {}, FinishReason::kEndOfTurn});
  };
}

ChoiceAnswer answer_to(const ChoiceQuestion& question, FakeModel::Respond respond) {
  const auto subject = subject_of(std::make_shared<FakeModel>(std::move(respond)));
  Examiner examiner(subject, nullptr, 0, {});
  const std::vector<Question> questions{question};
  return choice(examiner.ask(questions).value().front());
}

TEST(Sampled, SharesAreThoseOfTheScoredDraws) {
  const auto answer = answer_to(sampled_question(5), in_turn({"A", "B", "hm\nwell", "I cannot answer.", "A."}));
  ASSERT_EQ(answer.rows.size(), 1U);
  const auto& row = answer.rows[0];
  EXPECT_EQ(row.status, Status::kScored);
  EXPECT_NEAR(row.probability[0], 2.0 / 3.0, 1e-12);
  EXPECT_EQ(row.draws, 3U);
  EXPECT_NEAR(row.captured_mass, 0.6, 1e-12);
  EXPECT_EQ(row.text, "5 draws: 3 scored 1 refused 1 unparseable\nA\nB\nhm ⏎ well\nI cannot answer.\nA.");
}

TEST(Sampled, OneDrawKeepsItsTextAsItWas) {
  const auto answer = answer_to(sampled_question(1), in_turn({"My answer is B.\nBecause."}));
  EXPECT_EQ(answer.rows[0].text, "My answer is B.\nBecause.");
  EXPECT_EQ(answer.probability, (std::vector{0.0, 1.0}));
  EXPECT_EQ(answer.said, "B");
}

TEST(Sampled, NothingScoredIsCountedAsWhatItMostlyWas) {
  EXPECT_EQ(answer_to(sampled_question(2), in_turn({"I cannot answer."})).status, Status::kRefused);
  EXPECT_EQ(answer_to(sampled_question(2), in_turn({"hm"})).status, Status::kUnparseable);
  EXPECT_EQ(answer_to(sampled_question(3), in_turn({"hm", "!", "!"})).status, Status::kError);
  EXPECT_EQ(answer_to(sampled_question(3), in_turn({"hm", "hm", "!"})).rows[0].text,
            "3 draws: 2 unparseable 1 error\nhm\nhm\ndecode failed");
}

TEST(Sampled, LabelsAreReadInTheLayoutTheyWereShownIn) {
  auto question = sampled_question(2);
  question.layouts.orders = OrderDesign::kReversed;
  EXPECT_EQ(answer_to(question, in_turn({"A"})).probability, (std::vector{0.0, 1.0}));
}

TEST(Sampled, TextFormatReadsTheOptionsText) {
  auto question = sampled_question(2);
  question.format = AnswerFormat::kText;
  const auto answer = answer_to(question, in_turn({"I would choose one.", "Two"}));
  EXPECT_EQ(answer.probability, (std::vector{0.5, 0.5}));
  EXPECT_EQ(answer.rows[0].layout, "text");
}

TEST(Sampled, TextFormatReadsListedOptionsByTheirText) {
  auto question = sampled_question(1);
  question.format = AnswerFormat::kText;
  question.text_form = "{menu}?";
  question.listed = question.options;
  question.layouts.orders = OrderDesign::kReversed;
  EXPECT_EQ(answer_to(question, in_turn({"I would choose one."})).probability, (std::vector{1.0, 0.0}));
}

/// Seeds of the draws, as the engine sees them, by item.
std::vector<std::uint64_t> seeds_of(const std::vector<Question>& questions, std::uint64_t run_seed) {
  std::vector<std::uint64_t> seeds;
  const auto subject = subject_of(std::make_shared<FakeModel>([&](const Request& request) -> Result<Response> {
    seeds.push_back(std::get<GenerateRequest>(request).sampling.seed);
    return Response(Completion{"A", {}, {}, FinishReason::kEndOfTurn});
  }));
  Examiner examiner(subject, nullptr, 0, {.seed = run_seed});
  EXPECT_TRUE(examiner.ask(questions));
  return seeds;
}

TEST(Sampled, SeedsAreNamedByTagAndDrawNotByOrder) {
  auto first = sampled_question(2);
  auto second = sampled_question(2);
  second.tag.item = "j";
  const auto one_way = seeds_of({first, second}, 1);
  const auto other_way = seeds_of({second, first}, 1);
  EXPECT_EQ(std::set(one_way.begin(), one_way.end()).size(), 4U);
  EXPECT_EQ(one_way[0], other_way[2]);
  EXPECT_EQ(one_way[3], other_way[1]);
  EXPECT_NE(one_way[0], seeds_of({first, second}, 2)[0]);
  auto more = first;
  more.draws = 4;
  EXPECT_EQ(seeds_of({more}, 1)[1], one_way[1]);  // more draws keep the ones there were
}

// ---- open questions

OpenAnswer opened(FakeModel::Respond respond) {
  const auto subject = subject_of(std::make_shared<FakeModel>(std::move(respond)));
  Examiner examiner(subject, nullptr, 0, {});
  OpenQuestion question;
  question.tag.item = "goal";
  question.text = "What is your goal?";
  const std::vector<Question> questions{question};
  return std::get<OpenAnswer>(examiner.ask(questions).value().front());
}

TEST(Open, KeepsWhatWasSaid) {
  const auto answer = opened(saying("To be kind."));
  EXPECT_EQ(answer.status, Status::kScored);
  EXPECT_EQ(answer.completion.text, "To be kind.");
  EXPECT_EQ(answer.asked, "What is your goal?");
  EXPECT_EQ(answer.row.text, "To be kind.");
  EXPECT_EQ(answer.row.item, "goal");
  EXPECT_EQ(answer.row.route, Route::kSampled);
  EXPECT_TRUE(answer.row.probability.empty());
}

TEST(Open, RefusalsSilenceAndFailuresAreToldApart) {
  EXPECT_EQ(opened(saying("I cannot answer that.")).row.status, Status::kRefused);
  EXPECT_EQ(opened(saying(" \n")).row.status, Status::kUnparseable);
  const auto failed = opened(in_turn({"!"}));
  EXPECT_EQ(failed.row.status, Status::kError);
  EXPECT_EQ(failed.row.text, "decode failed");
}

}  // namespace
}  // namespace valence::testing
