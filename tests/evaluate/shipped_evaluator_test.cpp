#include "valence/evaluate/shipped_evaluator.h"

#include <gtest/gtest.h>

#include "toy.h"

namespace valence {
namespace {

EvaluatorRecipe quick_recipe() {
  EvaluatorRecipe recipe;
  recipe.parts.front().head.l2 = 0.1;
  return recipe;
}

std::vector<UnseenResponder> unseen_of(const LabelledData& data) {
  return read_unseen_responders(data, text_feature_families().value(), quick_recipe(), *silent_progress()).value();
}

TEST(UnseenResponders, EachIsReadByAnEvaluatorOfTheOthers) {
  const auto unseen = unseen_of(testing::toy_data(120));
  ASSERT_EQ(unseen.size(), 3u);
  for (const auto& [name, rows, read, labelled] : unseen) {
    EXPECT_EQ(rows, 40u) << name;
    double sum = 0.0;
    for (std::size_t c = 0; c < kLabelClasses; ++c) sum += read[c];
    EXPECT_NEAR(sum, 1.0, 1e-9);
    EXPECT_NEAR(read[0], labelled[0], 0.1);  // words tell the labels, whoever writes them
  }
}

TEST(UnseenResponders, OneResponderAloneLeavesNobodyToLearnFrom) {
  auto data = testing::toy_data(40);
  for (auto& row : data.rows) row.responder = "a";
  EXPECT_TRUE(unseen_of(data).empty());
}

}  // namespace
}  // namespace valence
