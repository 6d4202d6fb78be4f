#include "valence/instruments/fulcra.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "../../src/instruments/fulcra_estimator.h"
#include "valence/stats/correlation.h"

namespace valence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Space& schwartz() {
  static const auto space = load_space("schwartz10").value();
  return space;
}

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

TEST(Fulcra, HasNoShortFormOfAnswers) {
  const auto* instrument = *find_instrument("fulcra");
  const auto settings = Settings::resolve(instrument->settings(), std::vector<std::pair<std::string, std::string>>{}).value();
  EXPECT_THAT(instrument->parse_answers("1 2 3", settings).error().message, HasSubstr("valence evaluator apply"));
}

}  // namespace
}  // namespace valence
