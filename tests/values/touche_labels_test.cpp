// The published label files of Touché23-ValueEval against the space and its map to the ten values: counts of the shared
// data's README.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "support/shared_data.h"
#include "valence/base/csv.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

class ToucheLabels : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto file = testing::shared_data("touche23/labels-training.tsv");
    VALENCE_NEED_SHARED(file);
    table_ = read_csv(file, {.separator = '\t', .quoting = false}).value();
    for (std::size_t column = 1; column < table_.columns.size(); ++column) {
      const auto* category = space_.named(table_.columns[column]);
      ASSERT_NE(category, nullptr) << table_.columns[column];
      places_.push_back(category->index);
    }
  }
  /// Labels of a row by the place of the category in the space.
  std::vector<int> labels(std::size_t row) const {
    std::vector<int> labels(space_.dimensions.size(), 0);
    for (std::size_t column = 1; column < table_.columns.size(); ++column) {
      labels[places_[column - 1]] = table_.rows[row][column] == "1" ? 1 : 0;
    }
    return labels;
  }
  std::vector<std::size_t> places_;  // of the file's columns in the space
  CsvTable table_;
  Space space_ = load_space("touche20").value();
};

TEST_F(ToucheLabels, HaveTheCategoriesOfTheSpaceInItsOrder) {
  ASSERT_EQ(table_.columns.size(), 21u);
  for (std::size_t column = 1; column < table_.columns.size(); ++column) {
    EXPECT_EQ(places_[column - 1], column - 1) << table_.columns[column];
  }
}

TEST_F(ToucheLabels, HaveTheStatedPositives) {
  ASSERT_EQ(table_.rows.size(), 5393u);
  std::vector<int> counts(20, 0);
  for (std::size_t row = 0; row < table_.rows.size(); ++row) {
    const auto present = labels(row);
    for (std::size_t place = 0; place < present.size(); ++place) counts[place] += present[place];
  }
  EXPECT_THAT(counts, ::testing::ElementsAre(988, 1395, 247, 172, 1512, 610, 625, 382, 2000, 1728, 568, 1177, 207, 395,
                                             1332, 806, 2081, 427, 664, 1054));
}

// A value is present in as many arguments as have any of its parts: at least the largest part, at most their sum.
TEST_F(ToucheLabels, OfTheTenAreAnyOfTheirParts) {
  const auto map = load_space_map("touche20_to_10").value();
  std::array<int, 10> counts{};
  for (std::size_t row = 0; row < table_.rows.size(); ++row) {
    const auto mapped = map_labels(map, labels(row)).value();
    for (std::size_t place = 0; place < mapped.size(); ++place) counts[place] += mapped[place].label;
  }
  EXPECT_EQ(counts[1], 247);  // stimulation has one part
  EXPECT_GE(counts[0], 1395);
  EXPECT_LE(counts[0], 988 + 1395);
  EXPECT_GE(counts[4], 625);
  EXPECT_LE(counts[4], 610 + 625 + 382);
}

}  // namespace
}  // namespace valence
