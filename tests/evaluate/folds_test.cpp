#include "valence/evaluate/folds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace valence {
namespace {

std::vector<std::string> prompts(std::size_t rows) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows; ++i) names.push_back("p" + std::to_string(i / 3));
  return names;
}

TEST(GroupedFolds, KeepAPromptTogetherAndBalance) {
  const auto names = prompts(300);
  const auto folds = grouped_folds(names, 5, 1).value();
  std::map<std::string, std::size_t> fold_of;
  std::vector<std::size_t> sizes(5, 0);
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(fold_of.try_emplace(names[i], folds.of_row[i]).first->second, folds.of_row[i]);
    ++sizes[folds.of_row[i]];
  }
  EXPECT_EQ(sizes, std::vector<std::size_t>(5, 60));
  EXPECT_EQ(folds.inside(2).size() + folds.outside(2).size(), 300u);
}

TEST(GroupedFolds, DoNotDependOnTheOrderOfRows) {
  auto names = prompts(30);
  const auto before = grouped_folds(names, 5, 1).value();
  std::reverse(names.begin(), names.end());
  const auto after = grouped_folds(names, 5, 1).value();
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(before.of_row[i], after.of_row[29 - i]);
  EXPECT_NE(grouped_folds(names, 5, 2).value().of_row, after.of_row);
}

TEST(GroupedFolds, NeedAsManyPrompts) {
  EXPECT_EQ(grouped_folds(prompts(6), 5, 1).error().message,
            "5 folds need at least 2 folds and as many prompts; there are 2 prompts");
}

TEST(FoldsByName, LeaveOneOut) {
  const std::vector<std::string> responders = {"b", "a", "b", "c"};
  const auto folds = folds_by_name(responders).value();
  EXPECT_EQ(folds.names, (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_EQ(folds.inside(0), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(folds_by_name(std::vector<std::string>{"a", "a"}).error().message,
            "leaving one responder out needs responses of at least 2 responders (`response_source`), got 1");
}

TEST(HeldOutByHash, IsStableAndAboutTheShare) {
  std::size_t held = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto name = std::to_string(i);
    held += is_held_out(name, 0.25, 7) ? 1 : 0;
    EXPECT_LE(is_held_out(name, 0.1, 7), is_held_out(name, 0.25, 7));  // parts lie within each other
  }
  EXPECT_NEAR(static_cast<double>(held), 2500.0, 150.0);
}

}  // namespace
}  // namespace valence
