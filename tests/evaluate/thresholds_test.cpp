#include "valence/evaluate/thresholds.h"

#include <gtest/gtest.h>

#include <cmath>

#include "valence/base/random.h"

namespace valence {
namespace {

ClassProbabilities cells(std::size_t dims, std::vector<double> values) {
  return {values.size() / (dims * kLabelClasses), dims, std::move(values)};
}

TEST(Decide, TakesTheLikeliestClassAndUnrelatedOnATie) {
  const auto probabilities = cells(1, {0.5, 0.3, 0.2, 0.4, 0.4, 0.2, 0.1, 0.2, 0.7});
  EXPECT_EQ(decide(probabilities, Thresholds::none(1)), (std::vector<ValueLabel>{-1, 0, 1}));
}

TEST(Decide, AnOffsetOfLn2NeedsHalfTheProbability) {
  const auto probabilities = cells(1, {0.31, 0.6, 0.09, 0.29, 0.6, 0.11});
  EXPECT_EQ(decide(probabilities, {{std::log(2.0)}, {0.0}}), (std::vector<ValueLabel>{-1, 0}));
}

TEST(Decide, ACertainProbabilityIsNoInfinity) {
  EXPECT_EQ(decide(cells(1, {0.0, 1.0, 0.0}), {{3.0}, {3.0}}), (std::vector<ValueLabel>{0}));
}

struct Tuning {
  ClassProbabilities probabilities;
  std::vector<ValueLabel> labels;
};

/// Opposed is rare and its probability stays below ½, yet tells it apart; "hints" of it mislead in the second
/// dimension.
Tuning rare(std::size_t rows) {
  RandomStream stream(1, "rare");
  Tuning data{{rows, 2, {}}, {}};
  for (std::size_t i = 0; i < rows; ++i) {
    const bool first = stream.uniform() < 0.1, second = stream.uniform() < 0.1;
    const double p = first ? 0.3 : 0.05, q = stream.uniform() < 0.3 ? 0.3 : 0.05;
    data.probabilities.values.insert(data.probabilities.values.end(), {p, 1.0 - p, 0.0, q, 1.0 - q, 0.0});
    data.labels.push_back(first ? -1 : 0);
    data.labels.push_back(second ? -1 : 0);
  }
  return data;
}

TEST(Tuning, FindsARareClassWhereItsProbabilityTellsIt) {
  const auto data = rare(400);
  const auto decided = decide(data.probabilities, tune_thresholds(data.probabilities, data.labels, {}).value());
  std::size_t found = 0, opposed = 0, wrong_in_second = 0;
  for (std::size_t row = 0; row < 400; ++row) {
    opposed += data.labels[2 * row] == -1 ? 1 : 0;
    found += decided[2 * row] == -1 && data.labels[2 * row] == -1 ? 1 : 0;
    wrong_in_second += decided[2 * row + 1] == -1 && data.labels[2 * row + 1] == 0 ? 1 : 0;
  }
  EXPECT_EQ(found, opposed);
  EXPECT_EQ(wrong_in_second, 0u);  // a dimension of its own has an offset of its own
}

TEST(Tuning, ADimensionWithFewCasesKeepsTheCommonOffset) {
  const auto data = rare(400);
  const auto common = tune_thresholds(data.probabilities, data.labels, {TuningGoal::kMacroF1, 1000}).value();
  EXPECT_EQ(common.opposed[0], common.opposed[1]);
  const auto own = tune_thresholds(data.probabilities, data.labels, {TuningGoal::kMacroF1, 1}).value();
  EXPECT_NE(own.opposed[0], own.opposed[1]);
}

TEST(Tuning, NoGoalMeansNoOffsets) {
  const auto data = rare(50);
  const auto thresholds = tune_thresholds(data.probabilities, data.labels, {TuningGoal::kNone, 20}).value();
  EXPECT_EQ(thresholds.opposed, (std::vector<double>{0.0, 0.0}));
}

TEST(Tuning, NeedsALabelPerCell) {
  EXPECT_EQ(tune_thresholds(cells(1, {0.2, 0.6, 0.2}), {}, {}).error().message,
            "1 responses with 1 dimensions need 1 labels to tune thresholds on, got 0");
}

}  // namespace
}  // namespace valence
