// Do prediction-powered intervals keep their promise where the evaluator is biased? 2,000 simulated subjects (seeds
// 0–1999): 600 responses to 300 prompts, labels −1, 0, +1 that hang together within a prompt, 80 prompts labelled.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "valence/base/random.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"
#include "valence/stats/prediction_powered.h"

namespace valence::stats {
namespace {

constexpr std::size_t kPrompts = 300, kResponses = 600, kLabelledPrompts = 80, kSamples = 2000;

// A prompt calls for the value with probability .6 (then +1 with .7, −1 with .1), else almost every label is 0.
constexpr double kTruth = 0.6 * (0.7 - 0.1) + 0.4 * (0.05 - 0.05);

double draw_label(RandomStream& stream, bool called_for) {
  const double u = stream.uniform();
  if (u < (called_for ? 0.7 : 0.05)) return 1.0;
  return u < (called_for ? 0.8 : 0.1) ? -1.0 : 0.0;
}

struct Simulated {
  std::vector<double> labels, readings;
};

/// The evaluator shrinks, leans towards "upholds" and overlooks opposition.
Simulated simulate_subject(std::uint64_t seed) {
  RandomStream stream(seed, "subject");
  Simulated data;
  for (std::size_t i = 0; i < kResponses; ++i) {
    RandomStream prompt(seed, "prompt", i % kPrompts);
    data.labels.push_back(draw_label(stream, prompt.uniform() < 0.6));
    data.readings.push_back(
        std::clamp(0.2 + 0.6 * std::max(data.labels.back(), 0.0) + 0.2 * stream.normal(), -1.0, 1.0));
  }
  return data;
}

ResponsePopulation simulated_population() {
  std::vector<std::string> ids, prompts;
  for (std::size_t i = 0; i < kResponses; ++i) {
    ids.push_back(fmt::format("r{}", i));
    prompts.push_back(fmt::format("p{}", i % kPrompts));
  }
  return ResponsePopulation::of("simulated", ids, prompts).value();
}

struct CoverageCount {
  std::size_t covered = 0;
  double width = 0.0;

  void look_at(const Estimate& estimate) {
    if (estimate.low <= kTruth && kTruth <= estimate.high) ++covered;
    width += (estimate.high - estimate.low) / kSamples;
  }
  double share() const { return static_cast<double>(covered) / kSamples; }
};

TEST(PredictionPoweredCoverage, HoldsWhereReadingsAloneFail) {
  const auto population = simulated_population();
  CoverageCount tuned, classical, labels, naive;
  for (std::uint64_t seed = 0; seed < kSamples; ++seed) {
    const auto data = simulate_subject(seed);
    const auto draw = draw_for_labelling(population, kLabelledPrompts, seed).value();
    std::vector<double> drawn;
    for (const auto row : draw.rows) drawn.push_back(data.labels[row]);
    const auto sample = LabelledSample::from_draw(population, draw, drawn, 1).value();
    const auto readings = HonestReadings::of_unseen(population, {}, data.readings, 1).value();
    const auto with_tuning = prediction_powered_means(population, sample, readings, "prompt").value().front();
    tuned.look_at(with_tuning.mean);
    labels.look_at(with_tuning.labels_only);
    classical.look_at(
        prediction_powered_means(population, sample, readings, "prompt", PowerTuning::kClassical).value().front().mean);
    naive.look_at(student_mean(data.readings, "response"));
  }
  for (const auto& [name, count] :
       {std::pair{"tuned", tuned}, {"classical", classical}, {"labels only", labels}, {"readings only", naive}}) {
    fmt::print("coverage of 95 % intervals, {:13} {:.2f} %  mean width {:.4f}\n", name, 100.0 * count.share(),
               count.width);
  }
  for (const auto& count : {tuned, classical, labels}) {
    EXPECT_GE(count.share(), 0.935);
    EXPECT_LE(count.share(), 0.965);
  }
  EXPECT_LT(naive.share(), 0.05);
  EXPECT_LT(tuned.width, 0.9 * labels.width);
}

}  // namespace
}  // namespace valence::stats
