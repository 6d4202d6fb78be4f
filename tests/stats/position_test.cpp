#include "valence/stats/position.h"

#include <gtest/gtest.h>

#include <cmath>

namespace valence::stats {
namespace {

using Doubles = std::vector<double>;
using Places = std::vector<std::size_t>;

struct Row {
  std::size_t item;
  Doubles probability;
  Places place;
  double weight = 1.0;
};

std::vector<PlacedAnswer> placed(const std::vector<Row>& rows) {
  std::vector<PlacedAnswer> answers;
  for (const auto& row : rows) answers.push_back({row.item, row.probability, row.place, row.weight});
  return answers;
}

const Places kPaper{0, 1}, kReversed{1, 0};

TEST(PositionBias, ASubjectThatAlwaysTakesTheFirstPlace) {
  const std::vector<Row> rows{{0, {1, 0}, kPaper}, {0, {0, 1}, kReversed}, {1, {1, 0}, kPaper}, {1, {0, 1}, kReversed}};
  const auto bias = position_bias(placed(rows)).value();
  EXPECT_EQ(bias.share, (Doubles{1.0, 0.0}));
  EXPECT_DOUBLE_EQ(bias.bias, 0.5);
  EXPECT_EQ(bias.items, 2u);
  EXPECT_EQ(bias.answers, 4u);
}

TEST(PositionBias, ASubjectThatFollowsContentHasNone) {
  const std::vector<Row> rows{{0, {1, 0}, kPaper}, {0, {1, 0}, kReversed}};
  EXPECT_DOUBLE_EQ(position_bias(placed(rows)).value().bias, 0.0);
}

// With probability 0.4 the first place, else the content 0: first place 0.4 + 0.6/2.
TEST(PositionBias, AMixtureOfBothIsRecovered) {
  const std::vector<Row> rows{{0, {1.0, 0.0}, kPaper}, {0, {0.6, 0.4}, kReversed}};
  const auto bias = position_bias(placed(rows)).value();
  EXPECT_NEAR(bias.share[0], 0.7, 1e-12);
  EXPECT_NEAR(bias.bias, 0.2, 1e-12);
}

TEST(PositionBias, AnItemWithMoreLayoutsDoesNotCountMore) {
  const std::vector<Row> rows{{0, {1, 0}, kPaper}, {0, {1, 0}, kPaper}, {0, {1, 0}, kPaper}, {1, {0, 1}, kPaper}};
  EXPECT_DOUBLE_EQ(position_bias(placed(rows)).value().share[0], 0.5);
}

TEST(PositionBias, WeightsCountItemsTwiceOrNot) {
  const std::vector<Row> rows{{0, {1, 0}, kPaper, 2.0}, {1, {0, 1}, kPaper, 1.0}, {2, {0, 1}, kPaper, 0.0}};
  EXPECT_DOUBLE_EQ(position_bias(placed(rows)).value().share[0], 2.0 / 3.0);
}

TEST(PositionBias, SaysWhatDoesNotFit) {
  EXPECT_EQ(position_bias({}).error().message, "position bias needs at least one answer, got none");
  const std::vector<Row> mixed{{0, {1, 0}, kPaper}, {1, {1, 0, 0}, {0, 1, 2}}};
  EXPECT_EQ(position_bias(placed(mixed)).error().message,
            "answer 1 has 3 probabilities and 3 places where the first has 2; answers with different numbers of "
            "options have no places in common, ask for each number apart");
  const std::vector<Row> twice{{0, {1, 0}, {1, 1}}};
  EXPECT_EQ(position_bias(placed(twice)).error().message, "answer 0: its places are no arrangement of 0 to 1");
  const std::vector<Row> empty{{0, {}, {}}};
  EXPECT_EQ(position_bias(placed(empty)).error().message, "answer 0 has no options");
  const std::vector<Row> weightless{{0, {1, 0}, kPaper, 0.0}};
  EXPECT_EQ(position_bias(placed(weightless)).error().message, "the weights of all 1 answers are zero");
}

TEST(OrderConsistency, CountsItemsWhosePreferenceSurvivesTheLayout) {
  const std::vector<Row> rows{{0, {0.9, 0.1}, kPaper}, {0, {0.6, 0.4}, kReversed},   // the same
                              {1, {0.9, 0.1}, kPaper}, {1, {0.4, 0.6}, kReversed},   // follows the place
                              {2, {0.5, 0.5}, kPaper}, {2, {0.9, 0.1}, kReversed},   // no preference at first
                              {3, {0.9, 0.1}, kPaper}};                              // seen once only
  const auto consistency = order_consistency(placed(rows)).value();
  EXPECT_EQ(consistency.items, 3u);
  EXPECT_EQ(consistency.consistent, 1u);
  EXPECT_EQ(consistency.tied, 1u);
  EXPECT_DOUBLE_EQ(consistency.share, 1.0 / 3.0);
}

TEST(OrderConsistency, AUniformResponderScoresZero) {
  const std::vector<Row> rows{{0, {0.5, 0.5}, kPaper}, {0, {0.5, 0.5}, kReversed}};
  EXPECT_EQ(order_consistency(placed(rows)).value().share, 0.0);
}

TEST(OrderConsistency, OneLayoutShowsNothing) {
  const std::vector<Row> rows{{0, {0.9, 0.1}, kPaper}, {0, {0.9, 0.1}, kReversed, 0.0}};
  const auto consistency = order_consistency(placed(rows)).value();
  EXPECT_EQ(consistency.items, 0u);
  EXPECT_TRUE(std::isnan(consistency.share));
}

}  // namespace
}  // namespace valence::stats
