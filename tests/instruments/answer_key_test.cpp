// What targets amount to as answers: worked numbers and refusals.
#include "valence/instruments/answer_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/scratch.h"
#include "valence/instruments/allocations.h"
#include "valence/stats/max_entropy.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

Questionnaire pvq40() { return load_questionnaire("pvq40").value(); }

Settings defaults_of(const Instrument& instrument, std::vector<std::pair<std::string, std::string>> given = {}) {
  return Settings::resolve(instrument.settings(), given).value();
}

Target direction(const std::string& name, const std::string& id = "svo_reachable") {
  return narrowed(load_target(id).value(), std::vector<std::string>{name}).value();
}

const std::vector<double>& answer_to(const AnswerKey& key, const std::string& item, const std::string& condition = "") {
  return key.answers.at({condition, item});
}

std::string letters_of(const AnswerKey& key, std::span<const SliderItem> items) {
  std::string letters;
  for (const auto& item : items) {
    const auto& answer = answer_to(key, item.id);
    const auto best = std::ranges::max_element(answer);
    letters += *best < 1.0 ? '?' : static_cast<char>('A' + (best - answer.begin()));
  }
  return letters;
}

// France's centred mean of power is -1.3175: around the middle of 1 to 6 that is a mean answer of 2.1825.
TEST(QuestionnaireKey, ACentredTargetStandsAroundTheMiddleOfTheScale) {
  const auto questionnaire = pvq40();
  const auto target = load_target("ess11_fr").value();
  const auto key = questionnaire_key(questionnaire, target);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->answers.size(), 40U);
  EXPECT_TRUE(key->is_scale);
  for (const auto& item : questionnaire.items) {
    const auto& answer = answer_to(*key, item.id);
    EXPECT_NEAR(1.0 + stats::mean_step(answer), 3.5 + *target.value(item.dimension), 1e-9) << item.id;
    EXPECT_NEAR(stats::step_deviation(answer), 1.0, 1e-9) << item.id;
  }
  EXPECT_NEAR(1.0 + stats::mean_step(answer_to(*key, "2")), 2.1825, 1e-9);
}

TEST(QuestionnaireKey, ScoredAgainItGivesTheTargetBack) {
  const auto questionnaire = pvq40();
  const auto target = load_target("ess11_fr").value();
  const auto key = questionnaire_key(questionnaire, target).value();
  std::vector<double> answers;
  for (const auto& item : questionnaire.items) answers.push_back(1.0 + stats::mean_step(answer_to(key, item.id)));
  const auto scores = questionnaire_scores(questionnaire, answers, true);
  // The same up to one constant: 40 items weigh the ten values otherwise than the survey's 21.
  const double constant = scores[0] - *target.value(questionnaire.dimensions()[0]);
  EXPECT_LT(std::abs(constant), 0.06);
  for (std::size_t d = 0; d < scores.size(); ++d)
    EXPECT_NEAR(scores[d] - constant, *target.value(questionnaire.dimensions()[d]), 1e-9);
}

// (m − 3.5) / 2.5 backwards: 0.4809 is 4.70225, 1 is 6 with certainty.
TEST(QuestionnaireKey, AUnitTargetNeedsANamedMapAndIsThenRatings) {
  const auto uk = load_mapped_target("fulcra_uk", "to_1_6");
  ASSERT_TRUE(uk) << uk.error().message;
  const auto key = questionnaire_key(pvq40(), *uk).value();
  EXPECT_NEAR(1.0 + stats::mean_step(answer_to(key, "1")), 4.70225, 1e-9);
  const auto ideal = questionnaire_key(pvq40(), load_mapped_target("fulcra_ideal", "to_1_6").value()).value();
  EXPECT_EQ(answer_to(ideal, "5"), (std::vector<double>{0, 0, 0, 0, 0, 1}));  // security at 1
}

TEST(QuestionnaireKey, TheStatedSpreadIsNeverWiderThanTheMeanAllows) {
  auto target = load_mapped_target("fulcra_ideal", "to_1_6").value();
  for (auto& [dimension, value] : target.values) value = 5.9;
  const auto key = questionnaire_key(pvq40(), target).value();
  const auto& answer = answer_to(key, "1");
  EXPECT_NEAR(1.0 + stats::mean_step(answer), 5.9, 1e-9);
  EXPECT_NEAR(stats::step_deviation(answer), stats::step_deviation(*stats::max_entropy(6, 4.9)), 1e-9);
  EXPECT_LT(stats::step_deviation(answer), 0.4);
}

TEST(QuestionnaireKey, ASpreadOfTheTargetIsKept) {
  auto target = load_target("ess11_fr").value();
  target.spreads.assign(target.values.size(), 1.3);
  const auto key = questionnaire_key(pvq40(), target).value();
  EXPECT_NEAR(stats::step_deviation(answer_to(key, "1")), 1.3, 1e-9);
  target.spreads.assign(target.values.size(), 4.0);
  const auto wide = questionnaire_key(pvq40(), target);
  ASSERT_FALSE(wide);
  EXPECT_THAT(wide.error().message,
              HasSubstr("pvq40, item 1 (self_direction): target ess11_fr cannot be answered on a scale from 1 to 6: no "
                        "distribution over 6 steps"));
}

TEST(QuestionnaireKey, APersonsOwnAnswersAreTakenAsTheyAre) {
  auto target = load_target("ess11_fr").value();
  target.answers = OwnAnswers{"pvq40", {{"1", 2.0}, {"2", 6.0}}};
  const auto key = questionnaire_key(pvq40(), target).value();
  EXPECT_EQ(answer_to(key, "1"), (std::vector<double>{0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(answer_to(key, "2"), (std::vector<double>{0, 0, 0, 0, 0, 1}));
  EXPECT_NEAR(stats::step_deviation(answer_to(key, "3")), 1.0, 1e-9) << "not answered: the mean of the dimension";
  target.answers->questionnaire = "another";
  EXPECT_NEAR(stats::step_deviation(answer_to(questionnaire_key(pvq40(), target).value(), "1")), 1.0, 1e-9);
}

TEST(QuestionnaireKey, ReversedItemsAreAnsweredTheOtherWayRound) {
  auto questionnaire = pvq40();
  questionnaire.items[0].reversed = true;
  const auto target = load_target("ess11_fr").value();
  const auto key = questionnaire_key(questionnaire, target).value();
  EXPECT_NEAR(1.0 + stats::mean_step(answer_to(key, "1")), 7.0 - (3.5 + *target.value("self_direction")), 1e-9);
}

TEST(QuestionnaireKey, WhatATargetLeavesOutHasNoAnswer) {
  const auto target = narrowed(load_target("ess11_fr").value(), std::vector<std::string>{"power"}).value();
  const auto key = questionnaire_key(pvq40(), target).value();
  EXPECT_EQ(key.answers.size(), 3U);  // items 2, 17 and 39
  AnswerRow row;
  row.item = "1";
  EXPECT_EQ(key.find(row), nullptr);
}

TEST(QuestionnaireKey, TargetsThatItCannotExpressAreRefused) {
  const auto unit = questionnaire_key(pvq40(), load_target("fulcra_uk").value());
  ASSERT_FALSE(unit);
  EXPECT_EQ(unit.error().message,
            "pvq40 cannot answer for target fulcra_uk: it is scaled to [-1, 1], which is no rating. Name the map "
            "\"to_1_6\" to read it as ratings from 1 to 6, or take a raw or centred target");
  const auto ring = questionnaire_key(pvq40(), direction("prosocial"));
  ASSERT_FALSE(ring);
  EXPECT_EQ(ring.error().message,
            "pvq40 cannot answer for target svo_reachable: its items are of the space schwartz10, the target lives in "
            "svo_ring; it takes the raw and centred targets of valence target list --space schwartz10");
}

// The published ideal responders (specs, hvae §1), with joint gain where prosocial is asked for.
TEST(SliderKey, GivesTheIdealResponders) {
  const auto measure = load_svo_measure().value();
  EXPECT_EQ(letters_of(slider_key(measure.primary(), direction("altruistic")).value(), measure.primary()), "AIAAII");
  EXPECT_EQ(letters_of(slider_key(measure.primary(), direction("prosocial")).value(), measure.primary()), "AIIA?I");
  EXPECT_EQ(letters_of(slider_key(measure.primary(), direction("individualistic")).value(), measure.primary()),
            "?IIIAA");
  EXPECT_EQ(letters_of(slider_key(measure.primary(), direction("competitive")).value(), measure.primary()), "IAIIAA");
  // It is the direction that counts, not the angle that real answers reach.
  EXPECT_EQ(letters_of(slider_key(measure.primary(), direction("altruistic", "svo_ideal")).value(), measure.primary()),
            "AIAAII");
}

// On the secondary items the published ideals of joint gain leave three sliders open, whose sums are constant.
TEST(SliderKey, SharesAmongEveryPointOfALineOfEqualWorth) {
  const auto measure = load_svo_measure().value();
  const auto key = slider_key(measure.secondary(), direction("prosocial")).value();
  EXPECT_EQ(letters_of(key, measure.secondary()), "I?AI?I?AA");
  for (const double p : answer_to(key, "8")) EXPECT_NEAR(p, 1.0 / 9, 1e-12);
}

TEST(SliderKey, NeedsOneDirection) {
  const auto key = slider_key(load_svo_measure()->primary(), load_target("svo_reachable").value());
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message, HasSubstr("a subject can be brought to one"));
}

TEST(Instruments, SayWhichTargetsTheyCanAnswerFor) {
  const auto key_of = [](const std::string& id, const Target& target) {
    const auto* instrument = find_instrument(id).value();
    return instrument->answer_key(target, defaults_of(*instrument));
  };
  const auto ess = load_target("ess11_fr").value();
  EXPECT_TRUE(key_of("questionnaire", ess));
  EXPECT_EQ(key_of("moralchoice", ess).error().message,
            "moralchoice cannot answer for target ess11_fr: no score says how its questions should be answered. The "
            "questionnaire can (raw and centred scores), and svo, hvae and allocations can (a direction of the ring)");
  for (const auto* id : {"svo", "hvae", "allocations"}) {
    EXPECT_TRUE(key_of(id, direction("prosocial"))) << id;
    const auto refused = key_of(id, ess);
    ASSERT_FALSE(refused) << id;
    EXPECT_THAT(
        refused.error().message,
        HasSubstr("cannot answer for target ess11_fr, which lives in schwartz10: it divides coins, which shows a "
                  "direction of the ring"));
  }
}

TEST(Instruments, AnArmOfHvaeIsAnsweredInTheDirectionThatItInduces) {
  const auto* hvae = find_instrument("hvae").value();
  const auto all = hvae->answer_key(load_target("svo_reachable").value(), defaults_of(*hvae)).value();
  EXPECT_EQ(all.answers.size(), 24U);
  EXPECT_EQ(answer_to(all, "4", "competitive").back(), 1.0);
  EXPECT_EQ(answer_to(all, "4", "altruistic").front(), 1.0);
  const auto one = hvae->answer_key(direction("prosocial"), defaults_of(*hvae)).value();
  EXPECT_EQ(one.answers.size(), 12U);  // its own arm and the plain one
  EXPECT_EQ(answer_to(one, "4", "plain").front(), 1.0);
}

TEST(AllocationTasks, EveryOptionIsTheBestInOneDirection) {
  const auto tasks = load_allocation_tasks().value();
  EXPECT_EQ(tasks.size(), 12U);
  for (const auto& task : tasks) {
    std::set<std::size_t> best;
    for (const double degrees : {90.0, 45.0, 0.0, -45.0}) {
      const auto answer = best_allocations(task.options, degrees);
      ASSERT_EQ(std::ranges::count(answer, 1.0), 1) << task.id;
      best.insert(static_cast<std::size_t>(std::ranges::find(answer, 1.0) - answer.begin()));
    }
    EXPECT_EQ(best.size(), 3U) << task.id;
  }
}

// Ties in worth share; the share attained goes from the worst option to the best.
TEST(Allocations, TiesShareAndSharesRunFromWorstToBest) {
  const std::vector<Allocation> options = {{60, 40}, {40, 60}, {30, 30}};
  EXPECT_EQ(best_allocations(options, 45.0), (std::vector<double>{0.5, 0.5, 0.0}));
  EXPECT_NEAR(share_attained(options, std::vector{1.0, 0.0, 0.0}, 0.0), 1.0, 1e-12);
  EXPECT_NEAR(share_attained(options, std::vector{0.0, 1.0, 0.0}, 0.0), 1.0 / 3, 1e-12);
  EXPECT_TRUE(std::isnan(share_attained(std::vector<Allocation>{{60, 40}, {40, 60}}, std::vector{0.5, 0.5}, 45.0)));
}

}  // namespace
}  // namespace valence
