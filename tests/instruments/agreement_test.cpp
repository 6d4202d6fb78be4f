#include "valence/instruments/agreement.h"

#include <gtest/gtest.h>

#include <cmath>

namespace valence {
namespace {

AnswerRow row(std::string item, std::vector<double> probability) {
  AnswerRow r;
  r.unit = r.item = std::move(item);
  r.probability = std::move(probability);
  return r;
}

TEST(AnswerAgreement, IdenticalAnswersAgreeWholly) {
  const AnswerTable table{"x", {row("a", {0.9, 0.1}), row("b", {0.2, 0.8})}, {}};
  const auto agreement = answer_agreement(table, table);
  EXPECT_EQ(agreement.items, 2U);
  EXPECT_DOUBLE_EQ(agreement.same_choice, 1.0);
  EXPECT_DOUBLE_EQ(agreement.kappa, 1.0);
  EXPECT_NEAR(agreement.correlation, 1.0, 1e-12);
}

TEST(AnswerAgreement, OppositeAnswersDisagreeWholly) {
  const AnswerTable first{"x", {row("a", {0.9, 0.1}), row("b", {0.2, 0.8})}, {}};
  const AnswerTable second{"x", {row("a", {0.1, 0.9}), row("b", {0.8, 0.2})}, {}};
  const auto agreement = answer_agreement(first, second);
  EXPECT_DOUBLE_EQ(agreement.same_choice, 0.0);
  EXPECT_DOUBLE_EQ(agreement.kappa, -1.0);
}

TEST(AnswerAgreement, LayoutsOfAnItemAreAveragedFirst) {
  const AnswerTable first{"x", {row("a", {1.0, 0.0}), row("a", {0.4, 0.6})}, {}};  // 0.7: the first option
  const AnswerTable second{"x", {row("a", {0.6, 0.4})}, {}};
  EXPECT_DOUBLE_EQ(answer_agreement(first, second).same_choice, 1.0);
}

TEST(AnswerAgreement, WithoutSharedItemsThereIsNoFigure) {
  const AnswerTable first{"x", {row("a", {1.0, 0.0})}, {}}, second{"x", {row("b", {1.0, 0.0})}, {}};
  const auto agreement = answer_agreement(first, second);
  EXPECT_EQ(agreement.items, 0U);
  EXPECT_TRUE(std::isnan(agreement.same_choice));
}

}  // namespace
}  // namespace valence
