// Sliders that nobody published, and the parts of wordings and items.
#include "svo_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/scratch.h"
#include "valence/instruments/measure.h"
#include "valence/instruments/questionnaire.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

using testing::Scratch;
using Given = std::vector<std::pair<std::string, std::string>>;

AnswerTable asked(const std::string& id, const Given& given) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "v.db").value();
  const auto* instrument = find_instrument(id).value();
  Subject subject;
  subject.name = "random";
  subject.model = open_scripted("random").value();
  const auto measured =
      measure(*instrument, Settings::resolve(instrument->settings(), given).value(), subject, *store, {});
  EXPECT_TRUE(measured) << measured.error().message;
  return measured ? measured->answers : AnswerTable{};
}

std::set<std::string> variants(const AnswerTable& table) {
  std::set<std::string> all;
  for (const auto& row : table.rows) all.insert(row.variant);
  return all;
}

std::set<std::string> items(const AnswerTable& table) {
  std::set<std::string> all;
  for (const auto& row : table.rows) all.insert(row.item);
  return all;
}

TEST(GeneratedLines, AreFarFromEveryPrimaryItem) {
  const auto measure = load_svo_measure().value();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto lines = generated_sliders(40, seed, measure.primary());
    ASSERT_TRUE(lines) << lines.error().message;
    for (const auto& line : *lines) {
      for (const auto& item : measure.primary())
        EXPECT_GT(slider_distance(line, item), 15.0) << line.id << " " << item.id;
    }
  }
}

TEST(GeneratedLines, AreSlidersOfWholeCoinsThatTellInEveryDirection) {
  const auto lines = generated_sliders(60, 3, load_svo_measure()->primary()).value();
  ASSERT_EQ(lines.size(), 60U);
  for (const auto& line : lines) {
    std::set<std::pair<double, double>> different;
    for (const auto& coins : line.options) {
      EXPECT_EQ(coins.self, std::round(coins.self));
      EXPECT_GE(std::min(coins.self, coins.other), 10.0);
      EXPECT_LE(std::max(coins.self, coins.other), 100.0);
      different.emplace(coins.self, coins.other);
    }
    EXPECT_EQ(different.size(), kSliderOptions) << line.id;
    for (const double degrees : {90.0, 45.0, 0.0, -45.0}) {
      EXPECT_GE(std::abs(payoff_towards(line.options.front(), degrees) - payoff_towards(line.options.back(), degrees)),
                10.0);
    }
  }
  EXPECT_EQ(lines.front().id, "line-01");
}

TEST(GeneratedLines, HangOnTheSeedAlone) {
  const auto measure = load_svo_measure();
  const auto primary = measure->primary();
  const auto payoffs = [&](std::uint64_t seed) {
    return generated_sliders(1, seed, primary)->front().options.front().self;
  };
  EXPECT_EQ(payoffs(5), payoffs(5));
  std::set<double> different;
  for (std::uint64_t seed = 0; seed < 10; ++seed) different.insert(payoffs(seed));
  EXPECT_GT(different.size(), 5U);
}

TEST(GeneratedLines, MoreThanFitAreRefused) {
  const auto lines = generated_sliders(100000, 0, {});
  ASSERT_FALSE(lines);
  EXPECT_THAT(lines.error().message,
              ::testing::HasSubstr("generated lines that differ enough fit into the plane, not 100000"));
}

TEST(SvoParts, WhatIsTrainedOnIsNeverMeasured) {
  const auto training = asked("svo", {{"items", "training"}, {"lines", "10"}, {"wording_part", "training"}});
  const auto held_out = asked("svo", {{"wording_part", "held_out"}, {"layouts", "shuffled"}});
  EXPECT_EQ(items(training).size(), 19U);
  EXPECT_EQ(items(held_out), (std::set<std::string>{"1", "2", "3", "4", "5", "6"}));
  for (const auto& item : items(held_out)) EXPECT_FALSE(items(training).contains(item));
  EXPECT_EQ(variants(training).size(), 3U);
  for (const auto& variant : variants(held_out)) EXPECT_FALSE(variants(training).contains(variant));
}

TEST(SvoParts, ShuffledPutsEveryOptionOnceAtEveryPlace) {
  const auto table = asked("svo", {{"layouts", "shuffled"}, {"labels", "letters"}, {"wordings", "1"}});
  std::map<std::string, std::set<std::size_t>> places;
  for (const auto& row : table.rows) places[row.item].insert(row.place[0]);
  for (const auto& [item, seen] : places) EXPECT_EQ(seen.size(), kSliderOptions) << item;
  EXPECT_EQ(table.rows.size(), 54U);
}

TEST(SvoParts, InTextTheListingIsShuffledToo) {
  const auto table = asked("svo", {{"layouts", "shuffled"}, {"format", "text"}, {"wordings", "1"}});
  std::map<std::string, std::set<std::size_t>> places;
  for (const auto& row : table.rows) places[row.item].insert(row.place[0]);
  for (const auto& [item, seen] : places) EXPECT_EQ(seen.size(), kSliderOptions) << item;
  const auto both = asked("svo", {{"format", "text"}, {"wordings", "1"}});
  ASSERT_EQ(both.rows.size(), 12U);
  for (const auto& row : both.rows) EXPECT_EQ(row.place[0], row.layout == "reversed" ? kSliderOptions - 1 : 0U);
}

TEST(SvoParts, SoManyShufflesAsAskedFor) {
  EXPECT_EQ(asked("svo", {{"layouts", "shuffled"}, {"shuffles", "2"}, {"labels", "letters"}, {"wordings", "1"}}).rows.size(), 12U);
}

TEST(SvoParts, LinesHaveSharesAndNoAngle) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "v.db").value();
  const auto* svo = find_instrument("svo").value();
  const auto settings =
      Settings::resolve(svo->settings(), Given{{"items", "generated"}, {"labels", "letters"}}).value();
  Subject subject;
  subject.name = "prosocial";
  subject.model = open_scripted("ideal").value();
  subject.system_prompt = "You are competitive.";
  const auto measured = measure(*svo, settings, subject, *store, {}).value();
  EXPECT_EQ(measured.profile.find("angle"), nullptr);
  EXPECT_NEAR(measured.profile.find("attained.competitive")->estimate.value, 1.0, 1e-6);
  EXPECT_NEAR(measured.profile.find("chosen.competitive")->estimate.value, 1.0, 1e-6);
  EXPECT_LT(measured.profile.find("attained.altruistic")->estimate.value, 0.5);
}

TEST(QuestionnaireParts, HalvesShareNoItemAndNoWordingAndMeasureEveryValue) {
  const auto training =
      asked("questionnaire", {{"item_part", "training"}, {"wording_part", "training"}, {"format", "letter"}});
  const auto held_out =
      asked("questionnaire", {{"item_part", "held_out"}, {"wording_part", "held_out"}, {"format", "letter"}});
  EXPECT_EQ(items(training).size() + items(held_out).size(), 40U);
  for (const auto& item : items(held_out)) EXPECT_FALSE(items(training).contains(item));
  EXPECT_EQ(variants(training),
            (std::set<std::string>{"wording-1", "wording-3", "wording-5", "wording-7", "wording-9"}));
  EXPECT_EQ(variants(held_out),
            (std::set<std::string>{"wording-2", "wording-4", "wording-6", "wording-8", "wording-10"}));
  const auto questionnaire = load_questionnaire("pvq40").value();
  std::set<std::string> dimensions;
  for (const auto& item : questionnaire.items) {
    if (items(held_out).contains(item.id)) dimensions.insert(item.dimension);
  }
  EXPECT_EQ(dimensions.size(), 10U);
}

}  // namespace
}  // namespace valence
