#include "valence/evaluate/quality.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "valence/base/random.h"

namespace valence {
namespace {

/// Two dimensions; the evaluator is right with probability `skill`, and says so.
HeldOut held_out(std::size_t rows, double skill, std::uint64_t seed = 1) {
  RandomStream truth(1, "truth"), answers(seed, "answers");
  HeldOut held;
  held.evaluator = "simulated";
  held.dims = 2;
  held.probabilities = {rows, 2, {}};
  for (std::size_t row = 0; row < rows; ++row) {
    held.prompts.push_back("p" + std::to_string(row / 2));
    held.responders.push_back("r");
    for (std::size_t d = 0; d < 2; ++d) {
      const auto label = truth.below(3);
      const auto said = answers.uniform() < skill ? label : (label + 1 + answers.below(2)) % 3;
      held.labels.push_back(label_of(label));
      held.decided.push_back(label_of(said));
      for (std::size_t c = 0; c < 3; ++c) held.probabilities.values.push_back(c == said ? skill : (1.0 - skill) / 2.0);
    }
  }
  return held;
}

const std::vector<std::string> kDimensions = {"order", "care"};

QualityReport report_of(const HeldOut& held) { return quality_report(held, kDimensions, {.replicates = 200}).value(); }

// By hand: one dimension is right, the other takes +1 for −1.
TEST(QualityReport, ByHand) {
  HeldOut held{"hand",
               2,
               {"p", "q"},
               {"r", "r"},
               {1, -1, 0, -1},
               {1, 1, 0, -1},
               {2, 2, {0.1, 0.2, 0.7, 0.2, 0.2, 0.6, 0.1, 0.8, 0.1, 0.7, 0.2, 0.1}}};
  const auto report = report_of(held);
  EXPECT_DOUBLE_EQ(report.of("accuracy").value, 0.75);
  EXPECT_DOUBLE_EQ(report.of("f1_opposed").value, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(report.of("f1_upheld").value, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(report.of("macro_f1").value, (2.0 / 3.0 + 1.0 + 2.0 / 3.0) / 3.0);
  EXPECT_DOUBLE_EQ(report.of("recall_opposed").value, 0.5);
  EXPECT_DOUBLE_EQ(report.of("sign_accuracy").value, 2.0 / 3.0);
  EXPECT_NEAR(report.of("soft_error").value, (0.4 + 1.4 + 0.0 + 0.4) / 4.0, 1e-12);
  EXPECT_DOUBLE_EQ(report.of("accuracy", "order").value, 1.0);
  EXPECT_DOUBLE_EQ(report.of("accuracy", "care").value, 0.5);
  EXPECT_TRUE(std::isnan(report.of("auroc_opposed", "care").value));  // everything is opposed
  EXPECT_EQ(report.of("accuracy").unit, "prompt");
  EXPECT_THROW(report.of("luck"), std::out_of_range);
}

TEST(QualityReport, IntervalsHoldTheEstimateAndNarrowWithPrompts) {
  const auto small = report_of(held_out(60, 0.8)), large = report_of(held_out(600, 0.8));
  const auto& macro = large.of("macro_f1");
  EXPECT_LT(macro.low, macro.value);
  EXPECT_GT(macro.high, macro.value);
  EXPECT_LT(macro.high - macro.low, 0.6 * (small.of("macro_f1").high - small.of("macro_f1").low));
  EXPECT_EQ(large.prompts, 300u);
}

TEST(QualityReport, AnHonestEvaluatorIsCalibratedAndItsSetsHold) {
  const auto report = report_of(held_out(2000, 0.8));
  for (const auto& entry : report.calibration) EXPECT_LT(entry.error, 0.04) << entry.label_class;
  EXPECT_GT(report.conformal->coverage.value, 0.87);
  EXPECT_GE(report.conformal->mean_size, 1.0);
}

TEST(QualityReport, NeedsRows) {
  EXPECT_EQ(quality_report(held_out(0, 0.8), kDimensions).error().message,
            "a quality report needs labelled responses that were held out; there are none");
}

TEST(CompareQuality, SeesABetterEvaluator) {
  const auto differences = compare_quality(held_out(400, 0.6), held_out(400, 0.8, 2), {.replicates = 999}).value();
  ASSERT_EQ(differences.size(), 5u);
  EXPECT_EQ(differences[1].id, "macro_f1");
  EXPECT_GT(differences[1].comparison.difference.low, 0.0);
  EXPECT_LT(differences[4].comparison.difference.high, 0.0);  // its error is smaller
  EXPECT_GE(differences[1].p_holm, differences[1].comparison.p);
  EXPECT_LT(differences[1].p_holm, 0.05);
}

TEST(CompareQuality, AnEvaluatorDoesNotDifferFromItself) {
  const auto differences = compare_quality(held_out(100, 0.6), held_out(100, 0.6), {.replicates = 200}).value();
  EXPECT_EQ(differences[0].comparison.difference.low, 0.0);
  EXPECT_EQ(differences[0].comparison.difference.high, 0.0);
}

TEST(CompareQuality, NeedsTheSameRows) {
  auto other = held_out(100, 0.6);
  other.labels[0] = static_cast<ValueLabel>(-other.labels[0] + (other.labels[0] == 0 ? 1 : 0));
  EXPECT_EQ(compare_quality(held_out(100, 0.6), other).error().message,
            "simulated and simulated were not held out on the same responses");
}

TEST(QualityJson, HasEveryFigure) {
  const auto json = to_json(report_of(held_out(60, 0.8)));
  EXPECT_EQ(json["figures"].size(), 15u + 2 * 7);
  EXPECT_EQ(json["figures"][1]["id"], "macro_f1");
  EXPECT_EQ(json["calibration"].size(), 3u);
  EXPECT_TRUE(json["conformal"]["by_class"].contains("opposed"));
}

}  // namespace
}  // namespace valence
