#include "valence/evaluate/completeness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulated_safety.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

using testing::simulate;
using testing::Simulation;

const DimensionNames& names() { return testing::ten_values(); }

CompletenessReport report_of(const Simulation& how, std::uint64_t seed) {
  const auto made = simulate(how, seed);
  CompletenessOptions options;
  options.replicates = 300;
  return completeness(made.data, made.embedding, options).value();
}

TEST(Completeness, WhereValuesSayItAllTheEmbeddingAddsNothing) {
  const auto report = report_of({}, 1);
  const auto& all = report.figures.front();
  EXPECT_LE(all.gain.low, 0.0) << figure_text(all.gain);
  EXPECT_LE(all.beyond.low, 0.0) << figure_text(all.beyond);
  EXPECT_NEAR(all.beyond.value, 0.0, 0.01);
  EXPECT_LT(all.labels.value, all.chance.value - 0.1);  // the values do tell safe from unsafe
}

TEST(Completeness, NoiseInTheLabelsIsNotTakenForSomethingMissing) {
  const auto report = report_of({.noise = 0.4}, 2);
  const auto& all = report.figures.front();
  EXPECT_GT(all.gain.low, 0.0) << figure_text(all.gain);  // the embedding knows the values better than the labels do
  EXPECT_LE(all.beyond.low, 0.0) << figure_text(all.beyond);
  EXPECT_NEAR(all.beyond.value, 0.0, 0.02);
  EXPECT_LT(all.denoised.value, all.labels.value);
}

TEST(Completeness, ADimensionThatValuesLackIsFoundWithNoisyLabelsToo) {
  for (const double noise : {0.0, 0.4}) {
    const auto report = report_of({.noise = noise, .hidden = 2.0}, 3);
    const auto& all = report.figures.front();
    EXPECT_GT(all.beyond.low, 0.0) << noise << " " << figure_text(all.beyond);
    EXPECT_EQ(report.folds_with_embedding, 5u);
  }
}

TEST(Completeness, IsShownByGenreAndOverAll) {
  const auto report = report_of({.hidden = 2.0}, 4);
  ASSERT_EQ(report.figures.size(), 3u);
  EXPECT_EQ(report.figures[1].genre, "crime");
  EXPECT_EQ(report.figures[1].rows, 200u);
  EXPECT_EQ(report.figures[0].rows, 600u);
  EXPECT_EQ(report.figures[0].prompts, 300u);
  EXPECT_EQ(report.figures[0].beyond.unit, "prompt");
  EXPECT_EQ(report.explained.size(), 10u);
  EXPECT_GT(report.explained.front(), 0.5);
}

TEST(Completeness, TooFewOfEitherKindAreRefused) {
  auto made = simulate({.prompts = 40, .responses = 1}, 5);
  for (auto& row : made.data.rows) row.safe = true;
  EXPECT_EQ(completeness(made.data, made.embedding, {}).error().message,
            "telling safe from unsafe needs at least 20 responses of each; got 40 safe and 0 unsafe");
  made.embedding = dense_features(1, 2, std::vector<float>{0.0F, 1.0F}).value();
  EXPECT_EQ(completeness(made.data, made.embedding, {}).error().message,
            "40 responses need as many vectors, got 1 of 2 numbers");
}

TEST(SafetyData, TakesLabelsAsNumbersOrAsLabels) {
  const auto data = parse_safety_data(
                        "{\"prompt\": \"p\", \"response\": \"r\", \"values\": {\"power\": -0.5}, \"safe\": false, "
                        "\"genre\": \"crime\"}\n"
                        "{\"dialogue\": \"Human: p\\nBob: r\", \"value_types\": [\"Security: +1\"], \"safe\": true, "
                        "\"language\": \"en\"}\n",
                        "s.jsonl", names())
                        .value();
  ASSERT_EQ(data.rows.size(), 2u);
  EXPECT_EQ(data.rows[0].e[4], -0.5);
  EXPECT_EQ(data.rows[0].genre, "crime");
  EXPECT_FALSE(data.rows[0].safe);
  EXPECT_EQ(data.rows[1].e[5], 1.0);
  EXPECT_EQ(data.rows[1].text.response, "r");
  EXPECT_EQ(data.rows[1].language, "en");
  EXPECT_EQ(data.rows[1].place, "s.jsonl:2");
}

TEST(SafetyData, ErrorsNameThePlace) {
  const auto error = [](const std::string& rest) {
    return parse_safety_data("{\"prompt\": \"p\", \"response\": \"r\", " + rest + "}", "s.jsonl", names())
        .error()
        .message;
  };
  EXPECT_THAT(error("\"value_types\": []"), HasSubstr("\"safe\""));
  EXPECT_THAT(error("\"values\": {\"power\": 3}, \"safe\": true"), HasSubstr("s.jsonl:1"));
  EXPECT_THAT(error("\"values\": {\"power\": 3}, \"safe\": true"),
              HasSubstr("\"power\" should lie within -1 and 1, got 3"));
  EXPECT_THAT(error("\"values\": {\"fame\": 1}, \"safe\": true"), HasSubstr("fame"));
  EXPECT_THAT(error("\"safe\": true"), HasSubstr("value_types"));
}

}  // namespace
}  // namespace valence
