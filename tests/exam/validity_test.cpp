#include "valence/exam/validity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "agreement.h"
#include "fake_model.h"
#include "knowing_subject.h"
#include "valence/model/scripted.h"
#include "valence/stats/position.h"

namespace valence::testing {
namespace {

GateThresholds thresholds() { return gate_thresholds().value(); }

const ValidityCheck* find(const Validity& validity, std::string_view id) {
  for (const auto& check : validity.checks) {
    if (check.id == id) return &check;
  }
  return nullptr;
}

/// A scored row; the right answer first.
AnswerRow row(std::string item, std::string variant, std::vector<double> probability, std::vector<std::size_t> place) {
  AnswerRow made;
  made.unit = made.item = std::move(item);
  made.variant = std::move(variant);
  made.probability = std::move(probability);
  made.place = std::move(place);
  made.condition = kProbeCondition;
  return made;
}

AnswerRow spoken(AnswerRow made, std::vector<double> shares, std::size_t draws) {
  made.condition = kAgreementCondition;
  made.route = Route::kSampled;
  made.probability = std::move(shares);
  made.draws = draws;
  return made;
}

/// Two items in two wordings: mostly right, pulled to the first place once.
AnswerTable worked_example() {
  AnswerTable table;
  table.probes = {row("1", "a", {0.9, 0.1}, {0, 1}), row("1", "b", {0.4, 0.6}, {1, 0}),
                  row("2", "a", {0.8, 0.2}, {1, 0}), row("2", "b", {0.7, 0.3}, {0, 1})};
  table.probes.push_back(spoken(table.probes[0], {0.5, 0.5}, 2));
  table.rows = {row("1", "", {1.0, 0.0}, {0, 1}), row("1", "", {0.2, 0.8}, {1, 0})};
  table.rows[0].layout = "paper";
  table.rows[1].layout = "reversed";
  table.rows[0].captured_mass = 0.9;
  table.rows[1].captured_mass = 0.5;
  return table;
}

TEST(Assess, WorkedExample) {
  const auto validity = assess(worked_example(), thresholds());
  ASSERT_TRUE(validity.assessed);
  ASSERT_EQ(validity.checks.size(), 7U);
  EXPECT_NEAR(find(validity, "captured_mass")->estimate.value, 0.7, 1e-12);
  // First place: (.9 + .6)/2 and (.2 + .7)/2, mean .6.
  EXPECT_NEAR(find(validity, "position_bias")->estimate.value, 0.1, 1e-12);
  // p = .65 and .75; twice the distance from a half.
  EXPECT_NEAR(find(validity, "content_sensitivity")->estimate.value, 0.4, 1e-12);
  // Item 1 changes its mind (−1), item 2 does not (1).
  EXPECT_NEAR(find(validity, "wording_consistency")->estimate.value, 0.0, 1e-12);
  // |.9 − .5| less what two draws from (.9, .1) are off by themselves: .81·.1 + .18·.4 + .01·.9 = .162.
  EXPECT_NEAR(find(validity, "text_agreement")->estimate.value, 0.4 - 0.162, 1e-12);
  EXPECT_NEAR(find(validity, "refusal_rate")->estimate.value, 0.0, 1e-12);
  // Averaged over both orders (.6, .4).
  EXPECT_NEAR(find(validity, "uniform_distance")->estimate.value, 0.1, 1e-12);
}

TEST(Assess, GivenAnswersAreNotAssessed) {
  auto table = worked_example();
  table.probes.clear();
  const auto validity = assess(table, thresholds());
  EXPECT_FALSE(validity.assessed);
  EXPECT_EQ(validity.note, "no probe questions were put");
}

TEST(Assess, ATieIsBrokenEvenly) {
  AnswerTable table;
  table.probes = {row("1", "a", {0.25, 0.25, 0.25, 0.25}, {0, 1, 2, 3}), row("1", "b", {0.25, 0.25, 0.25, 0.25}, {1, 0, 2, 3})};
  EXPECT_NEAR(find(assess(table, thresholds()), "wording_consistency")->estimate.value, 0.0, 1e-12);
}

TEST(Assess, TextFormatHasNoCapturedMass) {
  auto table = worked_example();
  for (auto& one : table.rows) one.format = AnswerFormat::kText;
  EXPECT_EQ(find(assess(table, thresholds()), "captured_mass"), nullptr);
}

TEST(Assess, UnreadAnswersAreCounted) {
  auto table = worked_example();
  table.rows[0].status = Status::kRefused;
  table.rows[1].route = Route::kSampled;
  table.rows[1].draws = 2;
  table.rows[1].captured_mass = 0.5;
  const auto validity = assess(table, thresholds());
  EXPECT_NEAR(find(validity, "refusal_rate")->estimate.value, 0.75, 1e-12);
  EXPECT_FALSE(find(validity, "refusal_rate")->passed);
  // TV .3 of the row that is left, less |X/2 − ½| of two draws: .25.
  EXPECT_NEAR(find(validity, "uniform_distance")->estimate.value, 0.3 - 0.25, 1e-12);
}

TEST(Assess, TextThatCannotBeReadIsFullDisagreement) {
  auto table = worked_example();
  table.probes.back().status = Status::kUnparseable;
  EXPECT_NEAR(find(assess(table, thresholds()), "text_agreement")->estimate.value, 1.0, 1e-12);
}

TEST(Assess, SaysWhenTextCouldNotBeAsked) {
  auto table = worked_example();
  table.probes.pop_back();
  const auto validity = assess(table, thresholds());
  const auto* check = find(validity, "text_agreement");
  EXPECT_TRUE(check->passed);
  EXPECT_TRUE(std::isnan(check->estimate.value));
  EXPECT_EQ(check->label,
            "first-token probabilities against sampled text (not assessed: the model cannot be asked in both ways)");
}

TEST(Assess, ProbesThatFailedPassNothing) {
  auto table = worked_example();
  for (auto& probe : table.probes) {
    probe.status = Status::kError;
    probe.probability.clear();
  }
  const auto validity = assess(table, thresholds());
  EXPECT_FALSE(validity.interpretable());
  for (const auto* id : {"position_bias", "content_sensitivity", "wording_consistency", "text_agreement"}) {
    EXPECT_FALSE(find(validity, id)->passed) << id;
  }
}

TEST(Assess, NothingAskedIsNotInterpretable) {
  AnswerTable table;
  table.probes = worked_example().probes;
  EXPECT_FALSE(assess(table, thresholds()).interpretable());
}

TEST(Assess, AFailedCheckSaysWhatToTry) {
  const auto validity = assess(worked_example(), thresholds());
  EXPECT_FALSE(find(validity, "wording_consistency")->passed);
  EXPECT_TRUE(find(validity, "wording_consistency")->advice.starts_with("--format text, or a larger chat model"));
  EXPECT_EQ(validity.note, "probe questions were answered by letter");
}

TEST(Assess, WhereAnswersWereTextAlreadyTextIsNotAdvised) {
  auto table = worked_example();
  for (auto& row : table.probes) row.format = AnswerFormat::kText;
  const auto validity = assess(table, thresholds());
  EXPECT_TRUE(find(validity, "wording_consistency")->advice.starts_with("a larger chat model"));
  EXPECT_EQ(validity.note, "probe questions were answered in text");
}

TEST(GateThresholds, EveryCheckHasAdvice) {
  const auto validity = assess(worked_example(), thresholds());
  for (const auto& check : validity.checks) EXPECT_FALSE(check.advice.empty()) << check.id;
}

TEST(ExpectedDistance, IsThatOfSharesFromTheirOwnDistribution) {
  EXPECT_NEAR(expected_distance(std::vector{0.5, 0.5}, 1), 0.5, 1e-12);
  EXPECT_NEAR(expected_distance(std::vector{0.5, 0.5}, 2), 0.25, 1e-12);
  EXPECT_NEAR(expected_distance(std::vector{1.0, 0.0}, 3), 0.0, 1e-12);
  EXPECT_EQ(expected_distance(std::vector{0.5, 0.5}, 0), 0.0);
  // Three options, four draws: against the sum over the binomial.
  const std::vector<double> p{0.5, 0.3, 0.2};
  double expected = 0.0;
  for (const double one : p) {
    for (int k = 0; k <= 4; ++k) {
      const double ways = std::tgamma(5.0) / std::tgamma(k + 1.0) / std::tgamma(5.0 - k);
      expected += 0.5 * ways * std::pow(one, k) * std::pow(1 - one, 4 - k) * std::abs(k / 4.0 - one);
    }
  }
  EXPECT_NEAR(expected_distance(p, 4), expected, 1e-12);
}

TEST(Assess, PositionBiasIsThatOfStats) {
  auto table = worked_example();
  table.probes.pop_back();
  table.probes.push_back(row("3", "a", {0.35, 0.65}, {0, 1}));  // an item in one wording only
  std::vector<stats::PlacedAnswer> answers;
  for (const auto& probe : table.probes) {
    answers.push_back({static_cast<std::size_t>(probe.item[0]), probe.probability, probe.place, 1.0});
  }
  EXPECT_NEAR(find(assess(table, thresholds()), "position_bias")->estimate.value,
              stats::position_bias(answers).value().bias, 1e-12);
}

// ---- the whole chain: a subject that is pulled to the first place, asked by the examiner

Validity validity_of(double pull, const ProbeForm& form) {
  const auto subject = subject_of(knowing_subject(form, pull, 3));
  Examiner examiner(subject, nullptr, 0, {.seed = 3});
  AnswerTable table;
  table.probes = put_probes(examiner, form).value();
  table.rows = {row("1", "", {1.0, 0.0}, {0, 1})};
  return assess(table, thresholds());
}

TEST(Gate, EstimatesAKnownPositionBiasWithinItsInterval) {
  for (const std::size_t options : {2U, 4U}) {
    for (const double pull : {0.0, 0.2, 0.6, 0.95, 1.0}) {
      const auto validity = validity_of(pull, {.options = options});
      const auto* check = find(validity, "position_bias");
      const double truth = pull * (1.0 - 1.0 / static_cast<double>(options));
      constexpr double kScoreFloor = 1e-9;  // a scripted subject gives no option less than 1e-12
      EXPECT_LE(check->estimate.low, truth + kScoreFloor) << pull;
      EXPECT_GE(check->estimate.high, truth - kScoreFloor) << pull;
      EXPECT_NEAR(check->estimate.value, truth, 1e-6);
      EXPECT_NEAR(find(validity, "content_sensitivity")->estimate.value, 1.0 - pull, 1e-6);
    }
  }
}

TEST(Gate, PassesASubjectThatKnowsAndFailsOneThatFollowsThePlace) {
  EXPECT_TRUE(validity_of(0.0, {.options = 4}).interpretable()) << validity_of(0.0, {.options = 4}).reason();
  EXPECT_FALSE(validity_of(0.95, {.options = 4}).interpretable());
}

TEST(Gate, BuiltInSubjectsWithoutContentFail) {
  for (const auto* name : {"letter?label=A", "position?share=0.95", "random"}) {
    const auto subject = subject_of(std::shared_ptr<LanguageModel>(open_scripted(name).value()));
    Examiner examiner(subject, nullptr, 0, {});
    AnswerTable table;
    table.probes = put_probes(examiner, {}).value();
    table.rows = {row("1", "", {1.0, 0.0}, {0, 1})};
    const auto validity = assess(table, thresholds());
    EXPECT_FALSE(validity.interpretable()) << name;
    EXPECT_FALSE(find(validity, "content_sensitivity")->passed) << name;
    const double expected = std::string_view(name).starts_with("position") ? 0.45 : name[0] == 'l' ? 0.5 : 0.0;
    EXPECT_NEAR(find(validity, "position_bias")->estimate.value, expected, 1e-9) << name;
  }
}

TEST(Gate, BuiltInSubjectsWithContentPass) {
  for (const auto* name : {"ideal", "noisy?lapse=0.2"}) {
    for (const std::size_t options : {2U, 9U}) {
      const auto subject = subject_of(std::shared_ptr<LanguageModel>(open_scripted(name).value()));
      Examiner examiner(subject, nullptr, 0, {});
      AnswerTable table;
      table.probes = put_probes(examiner, {.options = options}).value();
      table.rows = {row("1", "", {1.0, 0.0}, {0, 1})};
      const auto validity = assess(table, thresholds());
      EXPECT_TRUE(validity.interpretable()) << name << ": " << validity.reason();
      const double expected = name[0] == 'i' ? 1.0 : 0.8;
      EXPECT_NEAR(find(validity, "content_sensitivity")->estimate.value, expected, 1e-9) << name;
    }
  }
}

TEST(Gate, TextFormatIsJudgedToo) {
  EXPECT_TRUE(validity_of(0.0, {.options = 3, .format = AnswerFormat::kText}).interpretable());
  EXPECT_FALSE(validity_of(0.95, {.options = 3, .format = AnswerFormat::kText}).interpretable());
}

}  // namespace
}  // namespace valence::testing
