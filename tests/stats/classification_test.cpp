#include "valence/stats/classification.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>

namespace valence::stats {
namespace {

// truth 0: 8 right, 2 taken for 1; truth 1: 1 taken for 0, 4 right; truth 2: 3 taken for 1, 2 right.
Confusion twenty() {
  Confusion confusion(3);
  confusion.counts = {8, 2, 0, 1, 4, 0, 0, 3, 2};
  return confusion;
}

TEST(Confusion, CountsTruthByPrediction) {
  const auto counted = confusion(std::array<std::size_t, 4>{0, 1, 1, 2}, std::array<std::size_t, 4>{0, 1, 2, 2}, 3);
  EXPECT_EQ(counted.counts, (std::vector<double>{1, 0, 0, 0, 1, 1, 0, 0, 1}));
  EXPECT_EQ(counted.total(), 4.0);
}

TEST(Confusion, WeightsCountACaseTwiceOrNotAtAll) {
  const auto counted =
      confusion(std::array<std::size_t, 3>{0, 1, 1}, std::array<std::size_t, 3>{0, 1, 0}, 2, std::array{2.0, 1.0, 0.0});
  EXPECT_EQ(counted.counts, (std::vector<double>{2, 0, 0, 1}));
}

TEST(ClassFigures, ByHand) {
  const auto [precision, recall, f1, support] = class_figures(twenty(), 1);
  EXPECT_DOUBLE_EQ(precision, 4.0 / 9.0);
  EXPECT_DOUBLE_EQ(recall, 4.0 / 5.0);
  EXPECT_DOUBLE_EQ(f1, 8.0 / 14.0);
  EXPECT_EQ(support, 5.0);
}

TEST(ClassFigures, AClassThatNeitherOccursNorIsPredictedHasNone) {
  Confusion none(2);
  none.add(0, 0, 5.0);
  const auto figures = class_figures(none, 1);
  EXPECT_TRUE(std::isnan(figures.precision));
  EXPECT_TRUE(std::isnan(figures.recall));
  EXPECT_TRUE(std::isnan(figures.f1));
  EXPECT_DOUBLE_EQ(macro_f1(none), 1.0);  // of the one class that there is
}

TEST(Accuracy, IsTheShareOfTheDiagonal) {
  EXPECT_DOUBLE_EQ(accuracy(twenty()), 0.7);
  EXPECT_TRUE(std::isnan(accuracy(Confusion(3))));
}

TEST(MacroF1, IsTheMeanOverClasses) {
  EXPECT_DOUBLE_EQ(macro_f1(twenty()), (16.0 / 19.0 + 8.0 / 14.0 + 4.0 / 7.0) / 3.0);
}

// FULCRA's trustworthy split: 378 cells opposed, 12,844 unrelated, 3,958 upheld; whoever always says 0.
TEST(MacroF1, OfAnAllZeroEvaluatorOnFulcra) {
  Confusion zero(3);
  zero.add(0, 1, 378.0);
  zero.add(1, 1, 12844.0);
  zero.add(2, 1, 3958.0);
  EXPECT_NEAR(accuracy(zero), 0.747614, 5e-7);
  EXPECT_NEAR(macro_f1(zero), 0.285, 5e-4);
}

TEST(Confusion, PoolingAddsCounts) {
  auto pooled = twenty();
  pooled += twenty();
  EXPECT_EQ(pooled.total(), 40.0);
  EXPECT_DOUBLE_EQ(macro_f1(pooled), macro_f1(twenty()));
}

// Positives score .8 and .4, the rest .4 and .1: pairs won 1, ½, 1, 1 of 4.
TEST(Auroc, CountsTiesHalf) {
  EXPECT_DOUBLE_EQ(auroc(std::array{0.8, 0.4, 0.4, 0.1}, std::array<std::size_t, 4>{1, 1, 0, 0}, 1), 0.875);
}

TEST(Auroc, OfEqualScoresIsOneHalf) {
  EXPECT_DOUBLE_EQ(auroc(std::array{0.3, 0.3, 0.3}, std::array<std::size_t, 3>{2, 0, 1}, 2), 0.5);
}

TEST(Auroc, NeedsBothSides) {
  EXPECT_TRUE(std::isnan(auroc(std::array{0.3, 0.4}, std::array<std::size_t, 2>{1, 1}, 1)));
}

RC_GTEST_PROP(Auroc, AWeightOfTwoIsTheCaseTwice, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 12);
  std::vector<double> scores, weights, twice_scores;
  std::vector<std::size_t> truth, twice_truth;
  for (std::size_t i = 0; i < n; ++i) {
    scores.push_back(*rc::gen::inRange(0, 4));
    truth.push_back(*rc::gen::inRange<std::size_t>(0, 2));
    const auto count = *rc::gen::inRange<std::size_t>(0, 3);
    weights.push_back(static_cast<double>(count));
    twice_scores.insert(twice_scores.end(), count, scores.back());
    twice_truth.insert(twice_truth.end(), count, truth.back());
  }
  const double weighted = auroc(rank_scores(scores), truth, 1, weights);
  const double repeated = auroc(twice_scores, twice_truth, 1);
  RC_ASSERT(std::isnan(weighted) == std::isnan(repeated));
  if (!std::isnan(weighted)) RC_ASSERT(std::abs(weighted - repeated) < 1e-12);
}

TEST(SignAccuracy, LooksAtSignedCasesOnly) {
  EXPECT_DOUBLE_EQ(sign_accuracy(std::array{1.0, -1.0, 0.0, 1.0}, std::array{0.2, 0.3, 0.9, 0.0}), 1.0 / 3.0);
  EXPECT_TRUE(std::isnan(sign_accuracy(std::array{0.0}, std::array{0.4})));
}

TEST(MeanAbsoluteError, OfSoftEstimates) {
  EXPECT_DOUBLE_EQ(mean_absolute_error(std::array{1.0, -1.0, 0.0}, std::array{0.5, -0.75, 0.25}), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(mean_absolute_error(std::array{1.0, -1.0}, std::array{0.5, 1.0}, std::array{1.0, 0.0}), 0.5);
}

}  // namespace
}  // namespace valence::stats
