#include "valence/targets/respondent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>

#include "survey_samples.h"
#include "valence/instruments/questionnaire.h"

namespace valence {
namespace {

using testing::ess_form;

const double kNone = std::nan("");

std::map<std::string, double> centred_of(const SurveyForm& form, const std::vector<double>& answers) {
  const auto space = load_space(form.space).value();
  const auto scores = person_scores(form, space, oriented(form, answers).value());
  std::map<std::string, double> by_dimension;
  for (const auto& dimension : space.dimensions) by_dimension[dimension.id] = scores.centred[dimension.index];
  return by_dimension;
}

double mean_rating_of(const SurveyForm& form, const std::vector<double>& answers) {
  return person_scores(form, load_space(form.space).value(), oriented(form, answers).value()).mean_rating;
}

/// The published facts are stated without reversal: a form whose 6 is "very much like me" does none.
SurveyForm unreversed() {
  auto form = ess_form();
  form.most_like_me = 6;
  return form;
}

const std::vector<double> kFirst = {3, 2, 1, 4, 5, 3, 1, 3, 2, 5, 1, 2, 3, 1, 4, 2, 5, 3, 2, 1, 2};
const std::vector<double> kSecond = {4, 3, 2, 5, 1, 2, 4, 5, 1, 2, 3, 5, 4, 3, 1, 4, 2, 1, kNone, 4, 1};

// Spec §7, fact 6.
TEST(PersonScores, AreThePublishedOnes) {
  EXPECT_NEAR(mean_rating_of(unreversed(), kFirst), 2.619048, 5e-7);
  const std::map<std::string, double> first = {
      {"self_direction", -.619048}, {"stimulation", .880952},  {"hedonism", .880952},     {"achievement", .880952},
      {"power", .880952},           {"security", .380952},     {"conformity", -1.119048}, {"tradition", -1.119048},
      {"benevolence", -.119048},    {"universalism", -.619048}};
  for (const auto& [dimension, score] : centred_of(unreversed(), kFirst))
    EXPECT_NEAR(score, first.at(dimension), 5e-7) << dimension;
}

TEST(PersonScores, OfAMissingAnswerRestOnTheOthers) {
  EXPECT_NEAR(mean_rating_of(unreversed(), kSecond), 2.85, 1e-12);
  const std::map<std::string, double> second = {{"self_direction", .65}, {"stimulation", -1.35}, {"hedonism", -1.35},
                                                {"achievement", 1.65},   {"power", -.35},        {"security", -.85},
                                                {"conformity", 1.15},    {"tradition", -.35},    {"benevolence", .15},
                                                {"universalism", .65}};
  for (const auto& [dimension, score] : centred_of(unreversed(), kSecond))
    EXPECT_NEAR(score, second.at(dimension), 1e-12) << dimension;
}

// Spec §5: centring answers that were not reversed turns every sign round; the form's own direction turns it back.
TEST(PersonScores, ReversalTurnsEverySignRound) {
  const auto plain = centred_of(unreversed(), kFirst), reversed = centred_of(ess_form(), kFirst);
  for (const auto& [dimension, score] : plain) EXPECT_NEAR(reversed.at(dimension), -score, 1e-12) << dimension;
  EXPECT_NEAR(mean_rating_of(ess_form(), kFirst), 7.0 - 2.619048, 5e-7);
}

// Spec §5: "a + b / 2" instead of (a + b) / 2 is a published mistake.
TEST(PersonScores, AreMeansOfTheItems) {
  const auto form = unreversed();
  const auto space = load_space("schwartz10").value();
  std::vector<double> answers(21, 3.0);
  answers[0] = 6.0;   // ipcrtiv
  answers[10] = 2.0;  // impfree
  EXPECT_EQ(person_scores(form, space, oriented(form, answers).value()).raw[0], 4.0);
}

// Spec §5: power from achievement's items, security from power's: published mistakes. The key, by item numbers from 1.
TEST(EssForm, HasThePublishedKey) {
  const std::map<std::string, std::vector<int>> key = {
      {"conformity", {7, 16}},     {"tradition", {9, 20}},   {"benevolence", {12, 18}}, {"universalism", {3, 8, 19}},
      {"self_direction", {1, 11}}, {"stimulation", {6, 15}}, {"hedonism", {10, 21}},    {"achievement", {4, 13}},
      {"power", {2, 17}},          {"security", {5, 14}}};
  std::map<std::string, std::vector<int>> ours;
  const auto form = ess_form();
  ASSERT_EQ(form.items.size(), 21u);
  for (std::size_t i = 0; i < form.items.size(); ++i) ours[form.items[i].dimension].push_back(static_cast<int>(i) + 1);
  EXPECT_EQ(ours, key);
  EXPECT_EQ(form.items[1].column, "imprich");
  EXPECT_EQ(form.items[16].column, "iprspot");
  EXPECT_EQ(form.most_like_me, 1);
}

TEST(Pvq40Form, HasThePublishedKeyAndTheQuestionnairesScale) {
  const std::map<std::string, std::vector<int>> key = {{"conformity", {7, 16, 28, 36}},
                                                       {"tradition", {9, 20, 25, 38}},
                                                       {"benevolence", {12, 18, 27, 33}},
                                                       {"universalism", {3, 8, 19, 23, 29, 40}},
                                                       {"self_direction", {1, 11, 22, 34}},
                                                       {"stimulation", {6, 15, 30}},
                                                       {"hedonism", {10, 26, 37}},
                                                       {"achievement", {4, 13, 24, 32}},
                                                       {"power", {2, 17, 39}},
                                                       {"security", {5, 14, 21, 31, 35}}};
  std::map<std::string, std::vector<int>> ours;
  const auto form = load_survey_form("pvq40").value();
  for (std::size_t i = 0; i < form.items.size(); ++i) ours[form.items[i].dimension].push_back(static_cast<int>(i) + 1);
  EXPECT_EQ(ours, key);
  EXPECT_EQ(form.items[39].column, "pvq40");
  EXPECT_EQ(form.most_like_me, 6);
  EXPECT_EQ(form.low, 1);
}

TEST(Pvq40Form, ScoresAsTheInstrumentDoes) {
  const auto questionnaire = load_questionnaire("pvq40").value();
  const auto form = load_survey_form("pvq40").value();
  const auto space = load_space("schwartz10").value();
  std::vector<double> answers;
  for (int i = 0; i < 40; ++i) answers.push_back(1 + (i * 5) % 6);
  const auto scores = person_scores(form, space, oriented(form, answers).value());
  const auto theirs = questionnaire_scores(questionnaire, answers, true);
  const auto names = questionnaire.dimensions();
  for (std::size_t d = 0; d < names.size(); ++d)
    EXPECT_NEAR(scores.centred[space.find(names[d])->index], theirs[d], 1e-12) << names[d];
}

// Spec §5, invariant: with nothing missing the centred scores cancel by number of items.
RC_GTEST_PROP(PersonScoresProperty, CancelByNumberOfItems, (std::uint64_t seed)) {
  static const auto form = ess_form();
  static const auto space = load_space(form.space).value();
  RandomStream random(seed, "answers");
  std::vector<double> answers;
  for (std::size_t i = 0; i < form.items.size(); ++i) answers.push_back(1.0 + std::floor(6.0 * random.uniform()));
  const auto scores = person_scores(form, space, *oriented(form, answers));
  double sum = 0.0;
  for (const auto& item : form.items) sum += scores.centred[space.find(item.dimension)->index];
  RC_ASSERT(std::abs(sum) < 1e-9);
}

// Centred twice, or means instead of answers: what is imported must be answers.
TEST(Ratings, AreMadeOfAnswersOnly) {
  auto answers = kFirst;
  answers[3] = -0.42;
  EXPECT_EQ(oriented(ess_form(), answers).error().message,
            "item ipshabt: an answer should be a whole number from 1 to 6, got -0.42: give answers as they were, not "
            "means or "
            "centred scores");
  answers[3] = 2.5;
  EXPECT_FALSE(oriented(ess_form(), answers));
  answers[3] = 7;
  EXPECT_FALSE(oriented(ess_form(), answers));
  EXPECT_EQ(oriented(ess_form(), std::vector<double>(20, 1.0)).error().message,
            "ess_pvq21 has 21 items, got 20 answers");
}

Exclusion exclusion(std::size_t missing, std::size_t identical) {
  std::vector<double> answers = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3};
  for (std::size_t i = 0; i < missing; ++i) answers[i] = kNone;
  if (identical > 0) {
    for (std::size_t i = 0; i < answers.size(); ++i)
      answers[i] = i < identical ? 2 : 1 + static_cast<double>(i % 2) * 4;
  }
  return exclusion_of(ess_form(), oriented(ess_form(), answers).value());
}

// Spec §5: more than 5 of 21 missing, more than 16 identical.
TEST(Exclusions, FollowThePublishedLimits) {
  EXPECT_EQ(exclusion(5, 0), Exclusion::kNone);
  EXPECT_EQ(exclusion(6, 0), Exclusion::kMissing);
  EXPECT_EQ(exclusion(0, 16), Exclusion::kNone);
  EXPECT_EQ(exclusion(0, 17), Exclusion::kStraightLining);
}

}  // namespace
}  // namespace valence
