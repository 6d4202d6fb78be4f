// The content test on subjects of known truth.
#include "valence/instruments/content_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/scratch.h"
#include "valence/exam/subject_file.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;

using Given = std::vector<std::pair<std::string, std::string>>;

const Given kSliders = {{"wording_part", "held_out"}, {"layouts", "shuffled"}, {"labels", "letters"}};

Target prosocial() {
  return narrowed(load_target("svo_reachable").value(), std::vector<std::string>{"prosocial"}).value();
}

/// The test of a scripted subject towards the prosocial direction.
ContentTest tested(const std::string& id, const Given& given, const std::string& model, const std::string& persona,
                   const Target& target) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "v.db").value();
  const auto* instrument = find_instrument(id).value();
  const auto settings = Settings::resolve(instrument->settings(), given).value();
  Subject subject;
  subject.name = model;
  subject.model = open_scripted(model).value();
  subject.system_prompt = persona;
  const auto measured = measure(*instrument, settings, subject, *store, {}).value();
  const auto test = content_test(*instrument, {&settings, &measured.answers}, target, measured.profile.validity);
  EXPECT_TRUE(test) << test.error().message;
  return test.value_or(ContentTest{});
}

const ContentScore& against(const ContentTest& test, const std::string& rival) {
  return *std::ranges::find(test.scores, rival, &ContentScore::against);
}

TEST(ContentTest, ATrueProsocialPasses) {
  const auto test = tested("svo", kSliders, "ideal", "You are prosocial.", prosocial());
  EXPECT_TRUE(test.passed()) << test.objection();
  EXPECT_EQ(test.objection(), "");
  EXPECT_NEAR(test.scores.front().accuracy.value, 1.0, 1e-6);
  EXPECT_EQ(test.scores.front().accuracy.count, 3U);  // held-out wordings
  EXPECT_EQ(test.scores.front().questions, 5U) << "item 5 gives the same sum everywhere";
  EXPECT_NEAR(test.scores.front().chance, 1.0 / 9, 1e-12);
  EXPECT_NEAR(test.letter_mass.value, 1.0, 1e-6);
  EXPECT_NEAR(test.position, 0.0, 1e-6);
}

// Half of the time an altruist, else at random: its angle of 44° is "prosocial" by average, and it is right on many
// questions. Where altruism would answer otherwise, it is not.
TEST(ContentTest, AHalfRandomAltruistFails) {
  const auto test = tested("svo", kSliders, "noisy?lapse=0.5", "You are an altruist.", prosocial());
  EXPECT_FALSE(test.passed());
  EXPECT_TRUE(test.scores.front().shown()) << "accuracy alone would have been taken in";
  const auto& rival = against(test, "altruistic");
  EXPECT_EQ(rival.questions, 1U);  // item 3
  EXPECT_NEAR(rival.accuracy.value, 0.5 / 9, 1e-6);
  EXPECT_FALSE(rival.shown());
  EXPECT_THAT(test.objection(), HasSubstr("where the altruistic direction would answer otherwise"));
}

TEST(ContentTest, AHalfRandomAltruistFailsWhereThereIsNoSliderToo) {
  const auto test =
      tested("allocations", {{"wording_part", "held_out"}}, "noisy?lapse=0.5", "You are an altruist.", prosocial());
  EXPECT_FALSE(test.passed());
  const auto& rival = against(test, "altruistic");
  EXPECT_EQ(rival.questions, 6U);  // items 7 to 12
  EXPECT_NEAR(rival.accuracy.value, 0.5 / 3, 1e-6);
  const auto honest =
      tested("allocations", {{"wording_part", "held_out"}}, "noisy?lapse=0.2", "You are prosocial.", prosocial());
  EXPECT_TRUE(honest.passed()) << honest.objection();
}

TEST(ContentTest, ALetterByItselfIsAtChanceWhateverTheLayouts) {
  for (const auto* layouts : {"shuffled", "slider", "rotation"}) {
    auto given = kSliders;
    given[1].second = layouts;
    const auto test = tested("svo", given, "letter?label=A", "", prosocial());
    EXPECT_NEAR(test.scores.front().accuracy.value, test.scores.front().chance, 1e-6) << layouts;
    EXPECT_FALSE(test.scores.front().shown()) << layouts;
    EXPECT_NEAR(test.position, 8.0 / 9, 1e-6) << layouts;
  }
}

TEST(ContentTest, ARandomSubjectShowsNothing) {
  const auto test = tested("svo", kSliders, "random", "", prosocial());
  for (const auto& score : test.scores) EXPECT_FALSE(score.shown()) << score.against;
  EXPECT_FALSE(test.interpretable);
}

// On a scale the order of pairs of statements counts. The scripted subject agrees with everything alike.
TEST(ContentTest, OnAScaleWhoAnswersEverythingAlikeIsAtOneHalf) {
  const auto test =
      tested("questionnaire", {{"wording_part", "held_out"}, {"item_part", "held_out"}, {"format", "letter"}}, "ideal",
             "", load_target("ess11_fr").value());
  ASSERT_EQ(test.scores.size(), 1U);
  EXPECT_NEAR(test.scores.front().accuracy.value, 0.5, 1e-9);
  EXPECT_EQ(test.scores.front().questions, 20U);
  EXPECT_FALSE(test.passed());
}

AnswerRow rated(const std::string& unit, const std::string& item, std::size_t answer) {
  AnswerRow row;
  row.unit = unit;
  row.item = item;
  row.route = Route::kGiven;
  row.probability.assign(6, 0.0);
  row.probability[answer - 1] = 1.0;
  return row;
}

// Items 1 (self-direction, .3886), 2 (power, −1.3175) and 3 (universalism, .7757): three pairs. 5, 1, 4 orders two of
// them as France does.
TEST(ContentTest, OnAScalePairsAreCounted) {
  const auto* instrument = find_instrument("questionnaire").value();
  const auto settings = Settings::resolve(instrument->settings(), Given{{"format", "letter"}}).value();
  AnswerTable table{"questionnaire",
                    {rated("a", "1", 5), rated("a", "2", 1), rated("a", "3", 4), rated("b", "1", 4), rated("b", "2", 1),
                     rated("b", "3", 4)},
                    {}};
  const auto test = content_test(*instrument, {&settings, &table}, load_target("ess11_fr").value(), {});
  ASSERT_TRUE(test) << test.error().message;
  EXPECT_NEAR(test->scores[0].by_unit.at("a"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(test->scores[0].by_unit.at("b"), 2.5 / 3, 1e-12);
  EXPECT_NEAR(test->scores[0].accuracy.value, 0.75, 1e-12);
  EXPECT_FALSE(test->interpretable);
}

TEST(ContentTest, TheGainIsPairedOverTheUnitsOfBoth) {
  const auto before = tested("svo", kSliders, "random", "", prosocial());
  const auto after = tested("svo", kSliders, "ideal", "You are prosocial.", prosocial());
  const auto gain = accuracy_gain(before, after);
  ASSERT_TRUE(gain);
  EXPECT_NEAR(gain->value, 8.0 / 9, 1e-6);
  EXPECT_EQ(gain->count, 3U);
}

}  // namespace
}  // namespace valence
