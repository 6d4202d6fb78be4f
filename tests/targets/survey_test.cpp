#include "valence/targets/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "survey_mean.h"
#include "survey_samples.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/stats/correlation.h"
#include "valence/stats/intervals.h"
#include "valence/values/space.h"

namespace valence {
namespace {

using testing::ess_form;
using testing::ess_table;
using testing::made_up_answers;

const std::vector<double> kFact = {3, 2, 1, 4, 5, 3, 1, 3, 2, 5, 1, 2, 3, 1, 4, 2, 5, 3, 2, 1, 2};

CsvTable one_person(const std::vector<double>& answers) {
  std::vector<int> whole(answers.begin(), answers.end());
  return ess_table({whole});
}

std::string error_of(const CsvTable& table, const SurveyOptions& options = {}) {
  const auto survey = import_survey(table, ess_form(), options);
  return survey ? "no error" : survey.error().message;
}

TEST(SurveyImport, OfOnePersonIsThePersonsScores) {
  const auto survey = import_survey(one_person(kFact), ess_form(), {}).value();
  EXPECT_EQ(survey.target.respondents, 1u);
  EXPECT_TRUE(survey.target.intervals.empty());
  EXPECT_NEAR(survey.target.value("self_direction").value(), .619048, 5e-7);  // fact 6, reversed as the ESS asks
  EXPECT_EQ(survey.target.scale, ScoreScale::kCentred);
  const auto person = person_target(ess_form(), kFact, ScoreScale::kCentred).value();
  EXPECT_EQ(person.values, survey.target.values);
}

TEST(SurveyImport, FindsTheSuffixOfRoundEleven) {
  const auto people = made_up_answers(20, 1);
  const auto plain = import_survey(ess_table(people), ess_form(), {}).value();
  const auto round11 = import_survey(ess_table(people, "a"), ess_form(), {}).value();
  EXPECT_EQ(plain.target.values, round11.target.values);
}

/// Weighted mean and scores by hand.
TEST(SurveyImport, WeighsEachPersonsCentredScore) {
  const auto people = made_up_answers(40, 2);
  const auto survey = import_survey(ess_table(people), ess_form(), {}).value();
  const auto space = load_space("schwartz10").value();
  double sum = 0.0, weights = 0.0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::vector<double> answers(people[i].begin(), people[i].end());
    const double weight = i % 4 == 0 ? 2.0 : 0.5;
    sum += weight * person_scores(ess_form(), space, oriented(ess_form(), answers).value()).centred[4];
    weights += weight;
  }
  EXPECT_NEAR(survey.target.value("power").value(), sum / weights, 1e-12);
  EXPECT_EQ(survey.weighting, "anweight");
  EXPECT_NEAR(survey.effective, 35.0 * 35.0 / (10 * 4.0 + 30 * 0.25), 1e-9);
  const auto plain = import_survey(ess_table(people), ess_form(), {.unweighted = true}).value();
  EXPECT_NE(plain.target.value("power"), survey.target.value("power"));
  EXPECT_EQ(plain.weighting, "none");
  EXPECT_NEAR(plain.effective, 40.0, 1e-9);
}

TEST(SurveyImport, ConventionsAreImagesOfEachOther) {
  const auto table = ess_table(made_up_answers(50, 3));
  const auto raw = import_survey(table, ess_form(), {.scale = ScoreScale::kRaw})->target;
  const auto centred = import_survey(table, ess_form(), {})->target;
  const auto unit = import_survey(table, ess_form(), {.scale = ScoreScale::kUnit})->target;
  const auto from_raw = converted(raw, ScaleMap::kCentre).value(),
             unit_from_raw = converted(raw, ScaleMap::kFrom1To6).value();
  for (std::size_t d = 0; d < 10; ++d) {
    EXPECT_NEAR(from_raw.values[d].second, centred.values[d].second, 1e-12);
    EXPECT_NEAR(unit_from_raw.values[d].second, unit.values[d].second, 1e-12);
    EXPECT_NEAR(unit_from_raw.intervals[d].low, unit.intervals[d].low, 1e-12);
  }
}

TEST(SurveyImport, IntervalsAreOrdinaryOnesWhenEverybodyCountsAlike) {
  const auto people = made_up_answers(30, 4);
  const auto target = import_survey(ess_table(people), ess_form(), {.unweighted = true})->target;
  const auto space = load_space("schwartz10").value();
  std::vector<double> scores;
  for (const auto& person : people) {
    const std::vector<double> answers(person.begin(), person.end());
    scores.push_back(person_scores(ess_form(), space, oriented(ess_form(), answers).value()).centred[7]);
  }
  const auto expected = stats::student_mean(scores, "respondent");
  EXPECT_NEAR(target.intervals[7].low, expected.low, 1e-12);
  EXPECT_NEAR(target.intervals[7].high, expected.high, 1e-12);
  EXPECT_EQ(target.intervals[7].count, 30u);
}

// Five respondents of a cluster who answer alike say as much as one.
TEST(SurveyImport, ClustersOfEqualAnswersCountOnce) {
  std::vector<std::vector<int>> people;
  for (const auto& person : made_up_answers(8, 5)) people.insert(people.end(), 5, person);
  const auto clustered = import_survey(ess_table(people), ess_form(), {.unweighted = true, .cluster = "psu"}).value();
  const auto distinct = import_survey(ess_table(made_up_answers(8, 5)), ess_form(), {.unweighted = true}).value();
  EXPECT_EQ(clustered.unit, "psu");
  for (std::size_t d = 0; d < 10; ++d) {
    EXPECT_NEAR(clustered.target.intervals[d].low, distinct.target.intervals[d].low, 1e-9);
    EXPECT_EQ(clustered.target.intervals[d].count, 40u);
  }
}

// 400 surveys of 60 with unequal weights: the truth is inside in about 95 % (a binomial's 4 standard errors).
TEST(SurveyMean, IntervalsCoverTheTruth) {
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    RandomStream random(seed, "coverage");
    SurveySample sample;
    for (std::size_t i = 0; i < 60; ++i) {
      sample.values.push_back(random.uniform() + random.uniform());
      sample.weights.push_back(0.5 + random.uniform());
      sample.clusters.push_back(i);
    }
    const auto estimate = survey_mean(sample, "respondent");
    covered += estimate.low <= 1.0 && 1.0 <= estimate.high ? 1 : 0;
  }
  EXPECT_GE(covered, 362);
  EXPECT_LE(covered, 397);
}

TEST(SurveyImport, CountsEveryRowOnce) {
  auto people = made_up_answers(12, 6);
  people[0] = std::vector<int>(21, 2);                    // one answer throughout
  for (std::size_t i = 0; i < 6; ++i) people[2][i] = 9;   // six of 21 missing
  for (std::size_t i = 0; i < 5; ++i) people[4][i] = 77;  // five of 21 missing: stays
  const auto survey = import_survey(ess_table(people), ess_form(), {.where = "cntry == 'GB' and agea < 29"}).value();
  EXPECT_EQ(survey.counts.rows, 12u);
  EXPECT_EQ(survey.counts.outside, 7u);
  EXPECT_EQ(survey.counts.straight_lining, 1u);
  EXPECT_EQ(survey.counts.missing, 1u);
  EXPECT_EQ(survey.counts.used, 3u);
  EXPECT_EQ(survey.target.respondents, 3u);
}

TEST(SurveyImport, LeavesOutWhoseAnswerTheFilterNeeds) {
  auto table = ess_table(made_up_answers(4, 6));
  table.rows[1][1] = "999";
  table.rows[2][1] = "";
  EXPECT_EQ(import_survey(table, ess_form(), {.where = "agea >= 18"})->counts.unknown, 2u);
  EXPECT_EQ(import_survey(table, ess_form(), {.where = "agea >= 18"})->counts.used, 2u);
}

TEST(SurveyImport, TakesMissingAnswersAsRAndSpssWriteThem) {
  auto table = ess_table(made_up_answers(3, 6));
  table.rows[0][5] = "NA";
  table.rows[1][6] = ".";
  table.rows[2][7] = " ";
  EXPECT_EQ(import_survey(table, ess_form(), {})->counts.used, 3u);
}

// Issue 4, F.2: answers that somebody has reversed before.
TEST(ReversalError, IsRefusedForAGroupAndCorrectedWhenSaid) {
  auto reversed = made_up_answers(60, 7);
  for (auto& person : reversed) {
    for (int& answer : person) answer = 7 - answer;
  }
  const auto right = import_survey(ess_table(made_up_answers(60, 7)), ess_form(), {}).value();
  const auto error = error_of(ess_table(reversed));
  EXPECT_THAT(error,
              ::testing::StartsWith(
                  "these 60 respondents order the values the other way round from every population known (Spearman -"));
  EXPECT_THAT(
      error, ::testing::EndsWith(
                 "): with 1 as \"very much like me\" the answers seem to be reversed already. Say --most-like-me 6, or "
                 "--any-order if the group is like that"));
  const auto corrected = import_survey(ess_table(reversed), ess_form(), {.most_like_me = 6}).value();
  EXPECT_EQ(corrected.target.values, right.target.values);
  const auto kept = import_survey(ess_table(reversed), ess_form(), {.any_order = true}).value();
  EXPECT_NEAR(kept.target.value("power").value(), -right.target.value("power").value(), 1e-12);
}

// The same mistake the other way: answers as given, said to be turned round.
TEST(ReversalError, OfForgettingToReverseIsRefusedToo) {
  EXPECT_THAT(error_of(ess_table(made_up_answers(60, 7)), {.most_like_me = 6}),
              ::testing::HasSubstr("Say --most-like-me 1"));
}

TEST(ReversalError, CannotBeSeenInAFewPeople) {
  auto reversed = made_up_answers(29, 7);
  for (auto& person : reversed) {
    for (int& answer : person) answer = 7 - answer;
  }
  EXPECT_EQ(error_of(ess_table(reversed)), "no error");
}

// Every country of the survey is far from being refused.
TEST(ReversalError, RefusesNoCountry) {
  const auto form = ess_form();
  const auto ids = list_targets("schwartz10").value();
  for (const auto& id : ids) {
    if (!id.starts_with("ess11_")) continue;
    const auto target = load_target(id).value();
    std::vector<double> places, values;
    for (std::size_t place = 0; place < form.order.size(); ++place) {
      places.push_back(-static_cast<double>(place));
      values.push_back(target.value(form.order[place]).value());
    }
    EXPECT_GT(stats::spearman(places, values), 0.8) << id;
  }
}

// Issue 4, F.2: what is centred already, or averaged, is no answer.
TEST(CentringError, CentredScoresAreRefusedWithTheirPlace) {
  auto table = ess_table(made_up_answers(3, 8));
  table.rows[1][6] = "-0.38";
  EXPECT_EQ(error_of(table),
            "ess.csv:3: item ipeqopt: an answer should be a whole number from 1 to 6, got -0.38: give answers as they "
            "were, not means or centred scores");
}

TEST(CentringError, ACentredTargetCannotBeCentredAgain) {
  const auto target = import_survey(ess_table(made_up_answers(10, 8)), ess_form(), {})->target;
  auto named = target;
  named.id = "group";
  EXPECT_EQ(converted(named, ScaleMap::kCentre).error().message, "target group: it is centred already");
}

// Centring takes each person's mean of all 21 answers off, not that of the ten scores.
TEST(CentringError, UsesTheMeanOfTheAnswers) {
  const auto target = import_survey(ess_table(made_up_answers(30, 9)), ess_form(), {})->target;
  double by_items = 0.0;
  for (const auto& [dimension, value] : target.values) by_items += (dimension == "universalism" ? 3.0 : 2.0) * value;
  EXPECT_NEAR(by_items, 0.0, 1e-9);
}

TEST(SurveyErrors, NameFileRowAndColumn) {
  auto table = ess_table(made_up_answers(3, 8));
  table.rows[2][2] = "";
  EXPECT_EQ(error_of(table), "ess.csv:4, column \"anweight\": expected a number, got \"\"");
  table.rows[2][2] = "-1";
  EXPECT_EQ(error_of(table), "ess.csv:4, column \"anweight\": a weight should be at least 0, got -1");
  table.rows[2][2] = "1";
  table.rows[2][8] = "often";
  EXPECT_EQ(error_of(table), "ess.csv:4, column \"impsafe\": expected a number, got \"often\"");
  table.columns[2] = "weight";
  EXPECT_EQ(error_of(table),
            "ess.csv:1: no weights; ess_pvq21 has them as anweight, or pspwght and pweight. Add them, or say that "
            "respondents "
            "count alike (--unweighted)");
  table.columns[5] = "rich";
  EXPECT_EQ(error_of(table), "ess.csv:1: no column \"imprich\", an item of ess_pvq21 (nor \"impricha\")");
}

TEST(SurveyErrors, SayWhyNobodyIsLeft) {
  EXPECT_EQ(error_of(ess_table(made_up_answers(4, 8)), {.where = "cntry == 'XX'"}),
            "ess.csv: nobody is left: of 4 rows, 4 are outside the filter, 0 cannot be told, 0 lack too many answers, "
            "0 give one answer "
            "too often, 0 have no weight");
}

// The spread is that of single answers, over people and items, weighted, in the target's own convention.
TEST(SurveyImport, SpreadsAreThoseOfSingleAnswers) {
  const auto people = made_up_answers(40, 5);
  const auto form = ess_form();
  for (const auto scale : {ScoreScale::kRaw, ScoreScale::kCentred, ScoreScale::kUnit}) {
    SurveyOptions options;
    options.scale = scale;
    const auto target = import_survey(ess_table(people), form, options)->target;
    double sum = 0.0, squares = 0.0, weights = 0.0;
    for (std::size_t i = 0; i < people.size(); ++i) {
      double mean = 0.0;
      for (const int answer : people[i]) mean += (7.0 - answer) / 21.0;
      const double weight = i % 4 == 0 ? 2.0 : 0.5;
      for (std::size_t item = 0; item < form.items.size(); ++item) {
        if (form.items[item].dimension != "benevolence") continue;
        const double rating = 7.0 - people[i][item];
        const double answer = scale == ScoreScale::kCentred ? rating - mean
                              : scale == ScoreScale::kUnit  ? (rating - 3.5) / 2.5
                                                            : rating;
        sum += weight * answer;
        squares += weight * answer * answer;
        weights += weight;
      }
    }
    const auto place = load_space("schwartz10")->find("benevolence")->index;
    EXPECT_NEAR(target.spreads[place], std::sqrt(squares / weights - sum * sum / (weights * weights)), 1e-9);
  }
}

TEST(PersonTarget, KeepsThePersonsOwnAnswers) {
  const auto form = load_survey_form("pvq40").value();
  std::vector<double> answers;
  for (std::size_t i = 0; i < 40; ++i) answers.push_back(static_cast<double>(1 + i % 6));
  answers[6] = std::nan("");
  auto target = person_target(form, answers, ScoreScale::kCentred).value();
  ASSERT_TRUE(target.answers);
  EXPECT_EQ(target.answers->questionnaire, "pvq40");
  EXPECT_EQ(target.answers->items.size(), 39u);
  EXPECT_EQ(target.answers->items[6], (std::pair<std::string, double>("8", 2.0)));
  EXPECT_FALSE(person_target(ess_form(), kFact, ScoreScale::kRaw)->answers) << "no questionnaire is known";
  target.id = "me";
  target.label = "me";
  const auto again = parse_target(to_toml(target), "me.toml", load_space("schwartz10").value());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->answers->items, target.answers->items);
}

TEST(PersonTarget, IsRefusedByTheSameRules) {
  std::vector<double> answers = kFact;
  for (std::size_t i = 0; i < 6; ++i) answers[i] = std::nan("");
  EXPECT_EQ(person_target(ess_form(), answers, ScoreScale::kCentred).error().message,
            "6 of 21 items have no answer, and at most 5 may lack one");
  EXPECT_EQ(person_target(ess_form(), std::vector<double>(21, 3.0), ScoreScale::kCentred).error().message,
            "21 of 21 answers are the same, and at most 16 may be: they do not tell the values apart");
}

TEST(PersonTarget, LeavesOutADimensionWithoutAnswer) {
  std::vector<double> answers = kFact;
  answers[1] = answers[16] = std::nan("");
  const auto target = person_target(ess_form(), answers, ScoreScale::kUnit).value();
  EXPECT_TRUE(std::isnan(target.value("power").value()));
  EXPECT_NEAR(target.value("hedonism").value(), (3.5 - 3.5) / 2.5, 1e-12);  // answers 5 and 2, reversed 2 and 5
}

std::string form_error(std::string_view from, std::string_view to) {
  const auto text = replace_all(R"toml(id = "f"
title = "F"
space = "svo_ring"
scale = { low = 1, high = 6, most_like_me = 1 }
missing = [9]
rules = { most_missing = 1, most_identical = 3 }
source = { citation = "c", licence = "l" }
[items]
a = "altruistic"
b = "prosocial"
c = "individualistic"
d = "competitive"
)toml",
                                from, to);
  const auto form = parse_survey_form(text, "f.toml");
  return form ? "no error" : form.error().message;
}

TEST(MalformedForm, NamesFileLineAndKey) {
  EXPECT_EQ(form_error("", ""), "no error");
  EXPECT_EQ(form_error("d = \"competitive\"", "d = \"prosocial\""), "f.toml:8:1: no item is of \"competitive\"");
  EXPECT_EQ(form_error("\"competitive\"", "\"competetive\""),
            "f.toml:12:5: the space \"svo_ring\" has no dimension \"competetive\"");
  EXPECT_EQ(form_error("most_like_me = 1", "most_like_me = 3"),
            "f.toml:4:9: \"most_like_me\" should be an end of the scale, 1 or 6, got 3");
  EXPECT_EQ(form_error("[9]", "[9, 4]"), "f.toml:5:15: 4 is an answer and cannot mean that there is none");
  EXPECT_EQ(form_error("most_missing = 1", "most_missing = 4"),
            "f.toml:6:9: \"most_missing\" should be below the number of items, 4");
  EXPECT_EQ(form_error("missing = [9]", "missing = [9]\nsuffixes = []"),
            "f.toml:6:12: \"suffixes\" needs at least one; \"\" is none");
  EXPECT_EQ(form_error("c = \"indiv", "b = \"indiv"), "f.toml:11:5: not valid TOML: Error while parsing key-value pair: cannot redefine existing string 'b'");
  EXPECT_EQ(load_survey_form("pvq_40").error().message, "unknown survey form \"pvq_40\"; did you mean \"pvq40\"?");
}

// Spec §5, published mistakes: security from power's items. A form cannot read one item twice, so the key that takes an item
// away from its value leaves that value without any, or the item twice in the file; both are refused.
TEST(KeyError, AnItemTakenFromAnotherValueIsRefused) {
  const auto text = read_file(data_folder().value() / "surveys" / "ess_pvq21.toml").value();
  const auto error = [&](std::initializer_list<std::pair<std::string, std::string>> changes) {
    auto changed = text;
    for (const auto& [from, to] : changes) changed = replace_all(changed, from, to);
    const auto form = parse_survey_form(changed, "ess.toml");
    return form ? "no error" : form.error().message;
  };
  EXPECT_EQ(error({}), "no error");
  EXPECT_THAT(error({{"imprich = \"power\"", "imprich = \"security\""}, {"iprspot = \"power\"", "iprspot = \"security\""}}),
              ::testing::HasSubstr("no item is of \"power\""));
  EXPECT_THAT(error({{"iprspot = \"power\"", "iprspot = \"power\"\nimprich = \"security\""}}), ::testing::HasSubstr("cannot redefine existing"));
}

}  // namespace
}  // namespace valence
