#include "valence/stats/conformal.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "valence/base/random.h"

namespace valence::stats {
namespace {

// Nine cases of class 0 with p = .1 … .9: scores .9 … .1; the ⌈10·.8⌉ = 8th smallest is .8.
std::vector<double> nine_probabilities() {
  std::vector<double> probability;
  for (int i = 1; i <= 9; ++i) probability.insert(probability.end(), {i / 10.0, 1.0 - i / 10.0});
  return probability;
}

TEST(Conformal, ThresholdIsTheOrderStatistic) {
  const std::vector<std::size_t> truth(9, 0);
  const auto thresholds =
      conformal_thresholds(nine_probabilities(), truth, 2, 0.8, ConformalCoverage::kMarginal).value();
  EXPECT_DOUBLE_EQ(thresholds.threshold[0], 0.8);
  EXPECT_DOUBLE_EQ(thresholds.threshold[1], 0.8);
  EXPECT_EQ(thresholds.calibration[0], 9u);
}

TEST(Conformal, QuantileIsInfiniteWhenThePromiseNeedsMoreScores) {
  std::vector<double> scores;
  for (int i = 1; i <= 19; ++i) scores.push_back(i);
  EXPECT_DOUBLE_EQ(conformal_quantile(scores, 0.9), 18.0);
  scores.resize(9);
  EXPECT_DOUBLE_EQ(conformal_quantile(scores, 0.9), 9.0);
  scores.resize(8);
  EXPECT_EQ(conformal_quantile(scores, 0.9), std::numeric_limits<double>::infinity());
}

TEST(Conformal, TooFewCasesPutTheClassIntoEverySet) {
  const std::vector<std::size_t> truth(9, 0);
  const auto thresholds =
      conformal_thresholds(nine_probabilities(), truth, 2, 0.95, ConformalCoverage::kPerClass).value();
  EXPECT_TRUE(std::isinf(thresholds.threshold[0]));
  EXPECT_TRUE(std::isinf(thresholds.threshold[1]));
  EXPECT_EQ(conformal_set(std::array{0.0, 1.0}, thresholds), (std::vector<std::size_t>{0, 1}));
}

TEST(Conformal, ASetHoldsTheClassesThatAreLikelyEnough) {
  const ConformalThresholds thresholds{0.9, {0.5, 0.7, 0.2}, {10, 10, 10}};
  EXPECT_EQ(conformal_set(std::array{0.5, 0.3, 0.2}, thresholds), (std::vector<std::size_t>{0, 1}));
  EXPECT_TRUE(conformal_set(std::array{0.4, 0.29, 0.31}, thresholds).empty());
}

TEST(Conformal, RefusesACoverageOfOne) {
  const auto thresholds =
      conformal_thresholds(std::array{0.5, 0.5}, std::array<std::size_t, 1>{0}, 2, 1.0, ConformalCoverage::kMarginal);
  EXPECT_EQ(thresholds.error().message, "a conformal coverage of 1 is outside (0, 1)");
}

TEST(Conformal, RefusesProbabilitiesThatDoNotFit) {
  const auto thresholds =
      conformal_thresholds(std::array{0.5}, std::array<std::size_t, 1>{0}, 2, 0.9, ConformalCoverage::kMarginal);
  EXPECT_EQ(thresholds.error().message, "conformal sets need 2 probabilities per calibration case; got 1 for 1 cases");
}

struct Cases {
  std::vector<double> probability;
  std::vector<std::size_t> truth;
};

/// Class 1 occurs in a tenth of cases and the classifier finds it poorly.
Cases rare_class(std::size_t count, RandomStream stream) {
  Cases cases;
  for (std::size_t i = 0; i < count; ++i) {
    const bool rare = stream.uniform() < 0.1;
    const double p = std::clamp(0.15 + (rare ? 0.15 : 0.0) + 0.1 * stream.normal(), 0.01, 0.99);
    cases.probability.insert(cases.probability.end(), {1.0 - p, p});
    cases.truth.push_back(rare ? 1 : 0);
  }
  return cases;
}

TEST(Conformal, PerClassSetsCoverARareClassThatMarginalSetsMiss) {
  const auto known = rare_class(2000, RandomStream(1, "known"));
  const auto fresh = rare_class(20000, RandomStream(1, "fresh"));
  const auto figures = [&](ConformalCoverage kind) {
    return conformal_figures(fresh.probability, fresh.truth,
                             conformal_thresholds(known.probability, known.truth, 2, 0.9, kind).value());
  };
  const auto marginal = figures(ConformalCoverage::kMarginal);
  const auto per_class = figures(ConformalCoverage::kPerClass);
  EXPECT_NEAR(marginal.coverage.value, 0.9, 0.02);
  EXPECT_LT(marginal.by_class[1].value, 0.3);
  EXPECT_NEAR(per_class.by_class[0].value, 0.9, 0.02);
  EXPECT_NEAR(per_class.by_class[1].value, 0.9, 0.05);
  EXPECT_GT(per_class.mean_size, marginal.mean_size);
}

}  // namespace
}  // namespace valence::stats
