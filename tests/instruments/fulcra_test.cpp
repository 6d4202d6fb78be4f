#include "valence/instruments/fulcra.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "../../src/instruments/fulcra_estimator.h"
#include "../../src/instruments/fulcra_reader.h"
#include "support/schwartz.h"
#include "valence/stats/correlation.h"

namespace valence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::schwartz;

AnswerRow response(const std::string& unit, const std::string& tags, std::string text, Status status = Status::kScored) {
  AnswerRow row;
  row.unit = unit;
  row.condition = tags;
  row.item = "prompt " + unit;
  row.variant = "response 1";
  row.route = Route::kSampled;
  row.status = status;
  row.text = std::move(text);
  return row;
}

/// e as probabilities of opposed, unrelated, upheld.
AnswerRow reading(const std::string& unit, const std::string& dimension, double e) {
  AnswerRow row;
  row.unit = unit;
  row.item = dimension;
  row.variant = "response 1";
  row.route = Route::kRead;
  row.probability = {e < 0 ? -e : 0.0, 1.0 - std::abs(e), e > 0 ? e : 0.0};
  return row;
}

AnswerRow transport(const std::string& responder, const std::string& dimension, const std::string& variant, double e) {
  auto row = reading(responder, dimension, e);
  row.condition = std::string(kTransportCondition);
  row.variant = variant;
  return row;
}

/// Four prompts; benevolence read as `e`, every other dimension as 0.
AnswerTable four_prompts(const std::array<double, 4>& e) {
  AnswerTable table;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const auto unit = fmt::format("p{}", i);
    table.rows.push_back(response(unit, i < 2 ? "crime" : "benevolence", "two words"));
    for (const auto& dimension : schwartz().dimensions) table.rows.push_back(reading(unit, dimension.id, dimension.id == "benevolence" ? e[i] : 0.0));
  }
  return table;
}

double figure(const Estimator& estimator, std::string_view id, std::vector<double> weights = {1, 1, 1, 1}) {
  const auto& estimands = estimator.estimands();
  const auto found = std::find_if(estimands.begin(), estimands.end(), [&](const auto& e) { return e.id == id; });
  if (found == estimands.end()) throw std::runtime_error("no figure " + std::string(id));
  return estimator.estimate(weights)[static_cast<std::size_t>(found - estimands.begin())];
}

TEST(FulcraEstimator, GivesMeansSharesAndCorrelations) {
  const std::array<double, 4> e = {-0.8, -0.3, 0.9, 0.5};
  const auto responses = read_responses(four_prompts(e), schwartz()).value();
  const auto estimator = make_fulcra_estimator(responses, schwartz(), 2, {});
  EXPECT_NEAR(figure(*estimator, "benevolence.unit"), 0.075, 1e-12);
  EXPECT_NEAR(figure(*estimator, "benevolence.unit", {2, 0, 1, 1}), (-1.6 + 0.9 + 0.5) / 4, 1e-12);
  EXPECT_NEAR(figure(*estimator, "benevolence.at_stake"), 0.7, 1e-12);
  EXPECT_NEAR(figure(*estimator, "benevolence.masked"), 0.25, 1e-12);  // |−0.3| is on the boundary: masked
  EXPECT_NEAR(figure(*estimator, "stance"), 0.75, 1e-12);
  EXPECT_NEAR(figure(*estimator, "words"), 2.0, 1e-12);
  const std::array<double, 4> crime = {1, 1, 0, 0};
  EXPECT_NEAR(figure(*estimator, "correlation.crime.benevolence"), stats::pearson(e, crime), 1e-12);
  // A prompt of weight 2 counts like two prompts.
  const std::array<double, 5> doubled = {-0.8, -0.8, -0.3, 0.9, 0.5}, crimes = {1, 1, 1, 0, 0};
  EXPECT_NEAR(figure(*estimator, "correlation.crime.benevolence", {2, 1, 1, 1}), stats::pearson(doubled, crimes), 1e-12);
}

TEST(FulcraEstimator, LeavesADimensionBlankThatFewResponsesTouch) {
  const auto responses = read_responses(four_prompts({-0.8, -0.3, 0.9, 0.5}), schwartz()).value();
  const auto strict = make_fulcra_estimator(responses, schwartz(), 4, {});  // three responses touch benevolence
  EXPECT_TRUE(std::isnan(figure(*strict, "benevolence.unit")));
  EXPECT_NEAR(figure(*strict, "benevolence.masked"), 0.25, 1e-12);
  const auto loose = make_fulcra_estimator(responses, schwartz(), 3, {});
  EXPECT_FALSE(std::isnan(figure(*loose, "benevolence.unit")));
  EXPECT_TRUE(std::isnan(figure(*loose, "power.unit")));
}

TEST(FulcraEstimator, CarriesTheErrorOnUnseenResponders) {
  auto table = four_prompts({-0.8, -0.3, 0.9, 0.5});
  EXPECT_TRUE(transport_errors(table, schwartz()).empty());
  for (const auto& [responder, read] : {std::pair{"a", 0.5}, std::pair{"b", 0.3}, std::pair{"c", 0.4}}) {
    for (const auto& dimension : schwartz().dimensions) {
      table.probes.push_back(transport(responder, dimension.id, "read", dimension.id == "benevolence" ? read : 0.0));
      table.probes.push_back(transport(responder, dimension.id, "labelled", 0.0));
    }
  }
  const auto errors = transport_errors(table, schwartz());
  const auto place = schwartz().find("benevolence")->index;
  // Misses 0.5, 0.3, 0.4: mean 0.4, deviation 0.1; t(2, 97.5 %) = 4.302653; √(1 + 1/3).
  EXPECT_NEAR(errors[place], 0.4 + 4.302653 * 0.1 * std::sqrt(4.0 / 3.0), 1e-6);
  EXPECT_EQ(errors[schwartz().find("power")->index], 0.0);
  EXPECT_THAT(transport_misses(table, schwartz()), ElementsAre(::testing::DoubleNear(0.5, 1e-12), ::testing::DoubleNear(0.3, 1e-12), ::testing::DoubleNear(0.4, 1e-12)));
  const auto estimator = make_fulcra_estimator(read_responses(table, schwartz()).value(), schwartz(), 2, errors);
  EXPECT_NEAR(estimator->systematic()[place], errors[place], 1e-12);
}

TEST(FulcraEstimator, RefusesReadingsOfNothing) {
  AnswerTable orphan;
  orphan.rows = {reading("p1", "power", 0.5)};
  EXPECT_EQ(read_responses(orphan, schwartz()).error().message, "response 1 of p1 was read, but the response is not there");
  AnswerTable unknown;
  unknown.rows = {response("p1", "", "x"), reading("p1", "thrift", 0.5)};
  EXPECT_EQ(read_responses(unknown, schwartz()).error().message, "answer of p1: \"thrift\" is no reading of a dimension of schwartz10");
}

/// How a judge answered about one prompt's response: where its probability went by place, and what share could be read.
AnswerRow judge(const std::string& unit, double pull, double read_share) {
  AnswerRow row;
  row.unit = unit;
  row.condition = std::string(kJudgeCondition);
  row.item = "place";
  row.route = Route::kRead;
  row.probability = {0.5 + pull, 0.0, 0.5 - pull};
  row.place = {0, 1, 2};
  row.captured_mass = read_share;
  return row;
}

TEST(JudgeChecks, AJudgeThatGoesByThePlaceOfALabelFailsWhicheverPlaceItIs) {
  const auto gate = gate_thresholds().value();
  for (const double pull : {0.45, -0.45}) {
    AnswerTable table;
    table.probes = {judge("p1", pull, 1.0), judge("p2", pull, 1.0), judge("p3", 0.5 * pull, 1.0)};
    const auto checks = judge_checks(table, gate);
    ASSERT_EQ(checks.size(), 2u);
    EXPECT_EQ(checks[0].id, "judge_place");
    EXPECT_NEAR(checks[0].estimate.value, 0.375, 1e-12);
    EXPECT_LE(checks[0].estimate.low, checks[0].estimate.value);
    EXPECT_FALSE(checks[0].passed);
    EXPECT_TRUE(checks[1].passed);
  }
}

TEST(JudgeChecks, AJudgeWhoseAnswersCannotBeReadFails) {
  AnswerTable table;
  table.probes = {judge("p1", 0.0, 0.5), judge("p2", 0.1, 0.6)};
  const auto checks = judge_checks(table, gate_thresholds().value());
  EXPECT_TRUE(checks[0].passed);
  EXPECT_NEAR(checks[1].estimate.value, 0.45, 1e-12);
  EXPECT_FALSE(checks[1].passed);
}

TEST(JudgeChecks, ThereAreNoneWhereAnEvaluatorRead) { EXPECT_TRUE(judge_checks(four_prompts({0.1, 0.2, 0.3, 0.4}), gate_thresholds().value()).empty()); }

TEST(Fulcra, HasNoShortFormOfAnswers) {
  const auto* instrument = *find_instrument("fulcra");
  const auto settings = Settings::resolve(instrument->settings(), std::vector<std::pair<std::string, std::string>>{}).value();
  EXPECT_THAT(instrument->parse_answers("1 2 3", settings).error().message, HasSubstr("valence evaluator apply"));
}

}  // namespace
}  // namespace valence
