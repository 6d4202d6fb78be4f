// FULCRA's trustworthy split, five folds by prompt: the floor and the trivial rows that every evaluator is held
// against. Known figures (accuracy / pooled macro-F1 / F1 of opposed): all unrelated .748/.285/0, majority per
// dimension .802/.481/0, tf-idf and logistic .891/.689/.356.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "valence/evaluate/cross_validate.h"
#include "valence/evaluate/quality.h"
#include "valence/stats/classification.h"

namespace valence {
namespace {

const LabelledData& fulcra() {
  static const auto data =
      read_labelled(fulcra_path().value(), dimension_names(load_space("schwartz10").value()).value()).value();
  return data;
}

Folds five_folds() { return grouped_folds(prompt_keys(fulcra().rows), 5, 1).value(); }

struct PooledFigures {
  double accuracy, macro_f1, f1_opposed, sign;
};

PooledFigures pooled_figures(const HeldOut& held) {
  stats::Confusion confusion(kLabelClasses);
  std::vector<double> truth, soft;
  for (std::size_t cell = 0; cell < held.labels.size(); ++cell) {
    confusion.add(class_of(held.labels[cell]), class_of(held.decided[cell]));
    truth.push_back(held.labels[cell]);
    soft.push_back(held.probabilities.soft(cell / held.dims, cell % held.dims));
  }
  const PooledFigures figures{stats::accuracy(confusion), stats::macro_f1(confusion),
                              stats::class_figures(confusion, 0).f1, stats::sign_accuracy(truth, soft)};
  fmt::print("{}: accuracy {:.4f}, macro-F1 {:.4f}, F1(-1) {:.4f}, F1(+1) {:.4f}, sign {:.4f}, soft error {:.4f}\n",
             held.evaluator, figures.accuracy, figures.macro_f1, figures.f1_opposed,
             stats::class_figures(confusion, 2).f1, figures.sign, stats::mean_absolute_error(truth, soft));
  return figures;
}

TEST(Fulcra, TrivialRowsAreTheKnownOnes) {
  const auto zero = pooled_figures(trivial_held_out(fulcra(), five_folds(), TrivialEvaluator::kAllUnrelated));
  EXPECT_NEAR(zero.accuracy, 0.747614, 5e-7);
  EXPECT_NEAR(zero.macro_f1, 0.285, 5e-4);
  EXPECT_EQ(zero.f1_opposed, 0.0);
  const auto majority = pooled_figures(trivial_held_out(fulcra(), five_folds(), TrivialEvaluator::kMajority));
  EXPECT_NEAR(majority.accuracy, 0.801804,
              0.01);  // known on all rows; a fold's majority may differ where two classes are close
  EXPECT_NEAR(majority.macro_f1, 0.481, 0.01);
  EXPECT_EQ(majority.f1_opposed, 0.0);
  EXPECT_NEAR(pooled_figures(trivial_held_out(fulcra(), five_folds(), TrivialEvaluator::kAlwaysUpheld)).sign, 0.913,
              5e-4);
}

// The known figures come from another split and two binary regressions without tuned thresholds: near, not equal.
TEST(Fulcra, TfidfLogisticIsTheKnownFloor) {
  EvaluatorRecipe recipe;
  recipe.parts.front().l2_grid = {0.1};
  recipe.thresholds.goal = TuningGoal::kNone;
  const auto held =
      cross_validate(fulcra(), five_folds(), text_feature_families().value(), recipe, *silent_progress()).value();
  const auto figures = pooled_figures(held);
  EXPECT_NEAR(figures.accuracy, 0.891, 0.01);
  EXPECT_NEAR(figures.macro_f1, 0.689, 0.04);
  EXPECT_GT(figures.f1_opposed, 0.2);
}

}  // namespace
}  // namespace valence
