#include "valence/stats/prediction_powered.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace valence::stats {
namespace {

std::vector<std::string> numbered(std::string_view what, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", what, i));
  return names;
}

ResponsePopulation population_of(std::size_t responses) {
  return ResponsePopulation::of("smollm2", numbered("r", responses), numbered("p", responses)).value();
}

/// Readings of a population of 8 of which 4 are drawn, given for the drawn in their order and for the rest.
std::vector<double> placed(const LabellingDraw& draw, std::vector<double> drawn, std::vector<double> rest) {
  std::vector<double> values(drawn.size() + rest.size());
  const std::set<std::size_t> rows(draw.rows.begin(), draw.rows.end());
  for (std::size_t i = 0; i < drawn.size(); ++i) values[draw.rows[i]] = drawn[i];
  for (std::size_t row = 0, next = 0; row < values.size(); ++row) {
    if (!rows.contains(row)) values[row] = rest[next++];
  }
  return values;
}

PredictionPowered eight(std::vector<double> labels, PowerTuning tuning) {
  const auto population = population_of(8);
  const auto draw = draw_for_labelling(population, 4, 7).value();
  const auto sample = LabelledSample::from_draw(population, draw, std::move(labels), 1).value();
  const auto readings =
      HonestReadings::of_unseen(population, {}, placed(draw, {0.8, 0.2, 0.9, 0.3}, {0.5, 0.6, 0.7, 0.4}), 1).value();
  return prediction_powered_means(population, sample, readings, "prompt", tuning).value().front();
}

// By hand: 0.55 + mean(.2, −.2, .1, −.3) = 0.5; variance (.05/3)/4 + (.17/3)/4; t of 3 degrees 3.182446.
TEST(PredictionPowered, ClassicalByHand) {
  const auto result = eight({1, 0, 1, 0}, PowerTuning::kClassical);
  EXPECT_NEAR(result.mean.value, 0.5, 1e-12);
  EXPECT_NEAR(result.mean.high - result.mean.value, 3.182446305 * std::sqrt(0.22 / 12.0), 1e-8);
  EXPECT_EQ(result.mean.count, 4u);
  EXPECT_EQ(result.mean.method, "prediction-powered (lambda 1.00, 4 responses labelled of 8)");
  EXPECT_NEAR(result.readings_only, 0.55, 1e-12);
  EXPECT_DOUBLE_EQ(result.labels_only.value, 0.5);
}

// By hand: cov(y, f) of means (.25/3)/4; var of f over all 8 is .42/7 = .06, so λ = (.25/12)/(.06/4 + .06/4) = 25/36.
TEST(PredictionPowered, TunedLambdaByHand) {
  const auto result = eight({1, 1, 1, 0}, PowerTuning::kTuned);
  EXPECT_NEAR(result.lambda, 25.0 / 36.0, 1e-12);
  EXPECT_NEAR(result.mean.value, 0.75, 1e-12);
}

TEST(PredictionPowered, ReadingsThatTellNothingGetNoWeight) {
  const auto result = eight({1, 0, 0, 1}, PowerTuning::kTuned);
  EXPECT_NEAR(result.lambda, 0.0, 1e-12);
  EXPECT_NEAR(result.mean.low, result.labels_only.low, 1e-12);
}

TEST(PredictionPowered, WithEverythingLabelledItIsTheirMean) {
  const auto population = population_of(3);
  const auto draw = draw_for_labelling(population, 3, 1).value();
  const auto sample = LabelledSample::from_draw(population, draw, {1, 0, -1}, 1).value();
  const auto readings = HonestReadings::of_unseen(population, {}, {0.9, 0.9, 0.9}, 1).value();
  const auto result = prediction_powered_means(population, sample, readings, "prompt").value().front();
  EXPECT_DOUBLE_EQ(result.mean.value, 0.0);
  EXPECT_EQ(result.mean.method, "labels only, Student t");
}

// Two responses to each prompt that are the same are one piece of evidence: the interval is that of the prompts.
TEST(PredictionPowered, ResponsesToOnePromptAreOneCluster) {
  const auto single = eight({1, 0, 1, 0}, PowerTuning::kClassical);
  auto prompts = numbered("p", 8);
  const auto more = numbered("p", 8);
  prompts.insert(prompts.end(), more.begin(), more.end());
  const auto population = ResponsePopulation::of("smollm2", numbered("r", 16), prompts).value();
  const auto draw = draw_for_labelling(population, 4, 7).value();
  ASSERT_EQ(draw.rows.size(), 8u);
  const auto small = draw_for_labelling(population_of(8), 4, 7).value();
  auto readings = placed(small, {0.8, 0.2, 0.9, 0.3}, {0.5, 0.6, 0.7, 0.4});
  readings.insert(readings.end(), readings.begin(), readings.end());
  const auto sample = LabelledSample::from_draw(population, draw, {1, 1, 0, 0, 1, 1, 0, 0}, 1).value();
  const auto result =
      prediction_powered_means(population, sample, HonestReadings::of_unseen(population, {}, readings, 1).value(),
                               "prompt", PowerTuning::kClassical)
          .value()
          .front();
  EXPECT_NEAR(result.mean.value, single.mean.value, 1e-12);
  EXPECT_NEAR(result.mean.low, single.mean.low, 1e-12);
}

TEST(LabellingDraw, AShorterDrawIsTheBeginningOfALongerOne) {
  const auto population = population_of(30);
  const auto longer = draw_for_labelling(population, 20, 5).value();
  const auto shorter = draw_for_labelling(population, 8, 5).value();
  EXPECT_TRUE(std::equal(shorter.rows.begin(), shorter.rows.end(), longer.rows.begin()));
  EXPECT_EQ(draw_for_labelling(population, 31, 5).error().message,
            "31 prompts were to be drawn from the 30 of smollm2");
}

// ---- what must be refused

TEST(PredictionPowered, RefusesLabelsThatWereChosen) {
  const auto population = population_of(30);
  auto draw = draw_for_labelling(population, 4, 5).value();
  draw.rows = {0, 1, 2, 3};  // the first four of the file
  const auto sample = LabelledSample::from_draw(population, draw, {1, 1, 1, 1}, 1);
  ASSERT_FALSE(sample);
  EXPECT_EQ(sample.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(
      sample.error().message,
      "the labelled responses are not what seed 5 draws: rows were chosen, added or left out. Label the whole draw");
}

TEST(PredictionPowered, RefusesLabelsOfAnotherSubject) {
  const auto other = ResponsePopulation::of("qwen3", numbered("q", 30), numbered("p", 30)).value();
  const auto draw = draw_for_labelling(other, 4, 5).value();
  EXPECT_EQ(LabelledSample::from_draw(population_of(30), draw, {1, 1, 1, 1}, 1).error().message,
            "the labels are of responses drawn elsewhere, not of smollm2's: they say nothing about it. Draw and label "
            "a sample of "
            "its own responses");
}

TEST(PredictionPowered, RefusesADrawWithGaps) {
  const auto population = population_of(30);
  const auto draw = draw_for_labelling(population, 4, 5).value();
  EXPECT_EQ(LabelledSample::from_draw(population, draw, {1, 1, 1}, 1).error().message,
            "4 responses with 1 dimensions need 4 labels, got 3");
  EXPECT_EQ(LabelledSample::from_draw(population, draw, {1, 1, NAN, 1}, 1).error().message,
            "response 2 has no number among its labels");
}

TEST(PredictionPowered, RefusesAnEvaluatorThatWasFittedOnWhatItRead) {
  const auto readings = HonestReadings::of_unseen(population_of(3), std::vector<std::string>{"x", "r1"}, {0, 0, 0}, 1);
  ASSERT_FALSE(readings);
  EXPECT_EQ(readings.error().message,
            "the evaluator was fitted on response r1 and then read it, so its error there is too small. Leave these "
            "responses out of "
            "the training, or cross-fit");
}

TEST(PredictionPowered, AcceptsCrossFittingAndChecksIt) {
  const auto population = population_of(3);
  const std::vector<std::vector<std::string>> fitted_on = {{"r2"}, {"r0", "r1"}};
  EXPECT_TRUE(HonestReadings::cross_fitted(population, fitted_on, std::vector<std::size_t>{0, 0, 1}, {0, 0, 0}, 1));
  EXPECT_FALSE(HonestReadings::cross_fitted(population, fitted_on, std::vector<std::size_t>{0, 1, 1}, {0, 0, 0}, 1));
  EXPECT_EQ(HonestReadings::cross_fitted(population, fitted_on, std::vector<std::size_t>{0, 0, 2}, {0, 0, 0}, 1)
                .error()
                .message,
            "each of 3 responses needs one of 2 evaluators that read it");
}

TEST(PredictionPowered, RefusesReadingsOfOtherResponses) {
  const auto population = population_of(8);
  const auto draw = draw_for_labelling(population, 4, 7).value();
  const auto sample = LabelledSample::from_draw(population, draw, {1, 0, 1, 0}, 1).value();
  const auto elsewhere = HonestReadings::of_unseen(population_of(9), {}, std::vector<double>(9), 1).value();
  EXPECT_EQ(prediction_powered_means(population, sample, elsewhere, "prompt").error().message,
            "labels and readings are not both of smollm2's responses");
  const auto wide = HonestReadings::of_unseen(population, {}, std::vector<double>(16), 2).value();
  EXPECT_EQ(prediction_powered_means(population, sample, wide, "prompt").error().message,
            "the labels have 1 dimensions, the readings 2");
}

TEST(PredictionPowered, RefusesASingleLabelledPrompt) {
  const auto population = population_of(8);
  const auto draw = draw_for_labelling(population, 1, 7).value();
  const auto sample = LabelledSample::from_draw(population, draw, {1}, 1).value();
  const auto readings = HonestReadings::of_unseen(population, {}, std::vector<double>(8), 1).value();
  EXPECT_EQ(
      prediction_powered_means(population, sample, readings, "prompt").error().message,
      "prediction-powered inference needs at least 2 labelled prompts and either none or 2 unlabelled; got 1 and 7");
}

TEST(ResponsePopulation, RefusesAResponseTwice) {
  const std::vector<std::string> prompts = {"p", "p"};
  EXPECT_EQ(ResponsePopulation::of("smollm2", {"r", "r"}, prompts).error().message,
            "response r is in the population twice");
}

}  // namespace
}  // namespace valence::stats
