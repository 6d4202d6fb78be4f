#include "valence/evaluate/domain.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "toy.h"

namespace valence {
namespace {

using testing::toy_data;

Evaluator trained(const LabelledData& data) {
  EvaluatorRecipe recipe;
  recipe.thresholds.goal = TuningGoal::kNone;
  return train_evaluator(data, text_feature_families().value(), recipe, *silent_progress()).value();
}

TEST(TrainingDomain, CountsAboutTheStatedShareOfLikeTextsAsInside) {
  const auto data = toy_data(400);
  const auto evaluator = trained(data);
  const auto domain = TrainingDomain::of(evaluator, texts_of(data.rows), texts_of(toy_data(400, 2).rows), 0.9).value();
  const auto fresh = domain.distances(texts_of(toy_data(1000, 3).rows)).value();
  const auto inside = std::ranges::count_if(fresh, [&](double d) { return d <= domain.limit(); });
  EXPECT_NEAR(static_cast<double>(inside) / 1000.0, 0.9, 0.05);
}

TEST(TrainingDomain, PutsTextsOfOtherWordsOutside) {
  const auto data = toy_data(200);
  const auto evaluator = trained(data);
  const auto domain = TrainingDomain::of(evaluator, texts_of(data.rows), texts_of(toy_data(200, 2).rows)).value();
  const std::vector<PromptedText> strange = {{"Pourquoi", "le chat dort"}, {"", ""}};
  const auto distances = domain.distances(strange).value();
  ASSERT_EQ(distances.size(), 2u);
  for (const double distance : distances) {
    EXPECT_DOUBLE_EQ(distance, 1.0);
    EXPECT_GT(distance, domain.limit());
  }
}

TEST(TrainingDomain, ATextThatItWasFittedOnIsAtDistanceZero) {
  const auto data = toy_data(100);
  const auto evaluator = trained(data);
  const auto texts = texts_of(data.rows);
  const auto domain = TrainingDomain::of(evaluator, texts, texts_of(toy_data(100, 2).rows)).value();
  EXPECT_NEAR(domain.distances(std::span(texts).first(1)).value().front(), 0.0, 1e-6);
}

TEST(TrainingDomain, RefusesTooFewTextsForCalibration) {
  const auto data = toy_data(100);
  const auto evaluator = trained(data);
  const auto domain = TrainingDomain::of(evaluator, texts_of(data.rows), texts_of(toy_data(10, 2).rows));
  ASSERT_FALSE(domain);
  EXPECT_EQ(domain.error().message, "10 texts are too few to say where 95 % of an evaluator's domain ends");
}

}  // namespace
}  // namespace valence
