#include "valence/evaluate/cross_validate.h"

#include <gtest/gtest.h>

#include <array>

#include "toy.h"

namespace valence {
namespace {

using testing::toy_data;

EvaluatorRecipe quick_recipe() {
  EvaluatorRecipe recipe;
  recipe.parts.front().head.l2 = 0.1;
  return recipe;
}

FeatureFamilies families() { return text_feature_families().value(); }

Folds three_folds(const LabelledData& data) { return grouped_folds(prompt_keys(data.rows), 3, 1).value(); }

/// Labels that no word tells, but that a memory of the prompt would: both responses to a prompt have the same.
LabelledData memorable() {
  auto data = toy_data(120);
  RandomStream stream(9, "memorable");
  for (std::size_t i = 0; i < data.rows.size(); i += 2) {
    const auto label = static_cast<ValueLabel>(static_cast<int>(stream.below(3)) - 1);
    for (std::size_t j = i; j < i + 2; ++j) {
      data.rows[j].text.response = "well " + data.rows[j].text.prompt;
      data.rows[j].labels = {label, label};
    }
  }
  return data;
}

double accuracy_of(const HeldOut& held) {
  double right = 0.0;
  for (std::size_t i = 0; i < held.labels.size(); ++i) right += held.labels[i] == held.decided[i] ? 1.0 : 0.0;
  return right / static_cast<double>(held.labels.size());
}

TEST(CrossValidate, DoesNotRewardRememberingPrompts) {
  const auto data = memorable();
  const auto held = cross_validate(data, three_folds(data), families(), quick_recipe(), *silent_progress()).value();
  EXPECT_LT(accuracy_of(held), 0.5);
}

TEST(CrossValidate, JudgesEveryRow) {
  const auto data = toy_data(120);
  const auto held = cross_validate(data, three_folds(data), families(), quick_recipe(), *silent_progress()).value();
  EXPECT_EQ(held.evaluator, "tfidf, logistic");
  EXPECT_EQ(held.rows(), 120u);
  EXPECT_EQ(held.labels, labels_of(data.rows));
  EXPECT_GT(accuracy_of(held), 0.95);
  for (std::size_t row = 0; row < held.rows(); ++row) {
    EXPECT_NEAR(held.probabilities.at(row, 0)[0] + held.probabilities.at(row, 0)[1] + held.probabilities.at(row, 0)[2],
                1.0, 1e-9);
  }
}

TEST(CrossValidate, LearningCurveRisesOnNestedParts) {
  const auto data = toy_data(240);
  const auto curve =
      learning_curve(data, three_folds(data), families(), quick_recipe(), std::array{0.2, 1.0}, *silent_progress())
          .value();
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_NEAR(curve[0].mean_rows, 32.0, 12.0);
  EXPECT_EQ(curve[1].mean_rows, 160.0);
  EXPECT_GE(accuracy_of(curve[1].held_out), accuracy_of(curve[0].held_out));
}

TEST(HoldOut, RefusesRowsThatWereSeen) {
  const auto data = toy_data(60);
  const auto evaluator = train_evaluator(data, families(), quick_recipe(), *silent_progress()).value();
  auto more = toy_data(20, 7);
  for (auto& row : more.rows) row.text.prompt += " of another day";
  EXPECT_EQ(unseen_rows(evaluator, more).size(), 20u);
  EXPECT_EQ(hold_out(evaluator, more).value().rows(), 20u);
  more.rows.push_back(data.rows[3]);
  EXPECT_EQ(hold_out(evaluator, more).error().message,
            "the evaluator was fitted on 1 of these 21 responses, so its figures there would flatter it");
  more.names.space = "schwartz10";
  EXPECT_EQ(hold_out(evaluator, more).error().message, "the evaluator speaks of toy, the labels of schwartz10");
}

TEST(Trivial, SaysTheSameEverywhere) {
  const auto data = toy_data(120);
  const auto folds = three_folds(data);
  const auto zero = trivial_held_out(data, folds, TrivialEvaluator::kAllUnrelated);
  EXPECT_EQ(zero.decided, std::vector<ValueLabel>(240, 0));
  EXPECT_EQ(zero.probabilities.soft(0, 0), 0.0);
  const auto up = trivial_held_out(data, folds, TrivialEvaluator::kAlwaysUpheld);
  EXPECT_EQ(up.decided, std::vector<ValueLabel>(240, 1));
  EXPECT_EQ(up.probabilities.soft(5, 1), 1.0);
  const auto majority = trivial_held_out(data, folds, TrivialEvaluator::kMajority);
  EXPECT_EQ(majority.decided[0], 0);  // order: half of the labels are 0
  EXPECT_EQ(majority.evaluator, "majority per dimension");
}

}  // namespace
}  // namespace valence
