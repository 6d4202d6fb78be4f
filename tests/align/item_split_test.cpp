#include "valence/align/item_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "valence/instruments/questionnaire.h"

namespace valence {
namespace {

Settings defaults_of(const Instrument& instrument) {
  return Settings::resolve(instrument.settings(), std::vector<std::pair<std::string, std::string>>()).value();
}

ItemSplit split_of(std::string_view id) {
  const auto* instrument = find_instrument(id).value();
  return split_items(*instrument, defaults_of(*instrument)).value();
}

TEST(ItemSplit, HalvesOfAQuestionnaireShareNoItemAndHaveThemAll) {
  const auto split = split_of("questionnaire");
  EXPECT_EQ(split.searched.size(), 20U);
  EXPECT_EQ(split.held_out.size(), 20U);
  for (const auto& item : split.searched) EXPECT_FALSE(split.held_out.contains(item)) << item;
}

TEST(ItemSplit, BothHalvesMeasureEveryDimensionOfThePvq) {
  const auto split = split_of("questionnaire");
  std::map<std::string, std::pair<int, int>> counts;
  const auto questionnaire = load_questionnaire("pvq40").value();
  for (const auto& item : questionnaire.items) {
    auto& [searched, held_out] = counts[item.dimension];
    (split.searched.contains(item.id) ? searched : held_out) += 1;
  }
  ASSERT_EQ(counts.size(), 10U);
  for (const auto& [dimension, both] : counts) {
    EXPECT_GE(both.first, 1) << dimension;
    EXPECT_GE(both.second, 1) << dimension;
    EXPECT_LE(std::abs(both.first - both.second), 1) << dimension;
  }
}

TEST(ItemSplit, TheSixPrimarySlidersAreAllHeldOut) {
  const auto split = split_of("svo");
  EXPECT_EQ(split.held_out, (std::set<std::string>{"1", "2", "3", "4", "5", "6"}));
  EXPECT_EQ(split.searched.size(), 9U);
}

TEST(ItemSplit, AnInstrumentWithoutHalvesIsRefusedByName) {
  const auto* instrument = find_instrument("moralchoice").value();
  const auto split = split_items(*instrument, defaults_of(*instrument));
  ASSERT_FALSE(split);
  EXPECT_EQ(split.error().code, ErrorCode::kUsage);
  EXPECT_EQ(split.error().message,
            "the items of moralchoice cannot be halved into those to search on and those to measure on; take svo or "
            "questionnaire");
}

}  // namespace
}  // namespace valence
