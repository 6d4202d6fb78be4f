#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "valence/values/target.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

/// What spec §4 implies for the United Kingdom: mean ratings on 1–6, 6 = very much like me.
Target ratings() {
  Target target;
  target.id = "uk";
  target.space = "schwartz10";
  target.scale = ScoreScale::kRaw;
  const std::vector<std::string> names = {"self_direction", "stimulation", "hedonism",   "achievement", "power",
                                          "security",       "tradition",   "conformity", "benevolence", "universalism"};
  const std::vector<double> means = {4.70, 3.83, 3.75, 3.51, 2.90, 4.59, 4.18, 3.86, 5.13, 4.98};
  for (std::size_t d = 0; d < names.size(); ++d) target.values.emplace_back(names[d], means[d]);
  return target;
}

TEST(ScaleMaps, UnitFromRatingsIsFulcrasFormula) {
  const auto unit = converted(ratings(), ScaleMap::kFrom1To6).value();
  const auto published = load_target("fulcra_uk").value();
  EXPECT_EQ(unit.scale, ScoreScale::kUnit);
  for (const auto& [dimension, value] : published.values) {
    EXPECT_NEAR(unit.value(dimension).value(), value, 0.005 / 2.5 + 1e-9) << dimension;  // means to two decimals
  }
  EXPECT_EQ(unit.provenance.note, "mapped by from_1_6");
}

TEST(ScaleMaps, CentringTakesTheMeanRatingOff) {
  auto target = ratings();
  target.mean_rating = 4.2;  // of all items, which is not the mean of the ten
  target.intervals.assign(10, {1.0, 6.0, 100});
  const auto centred = converted(target, ScaleMap::kCentre).value();
  EXPECT_EQ(centred.scale, ScoreScale::kCentred);
  EXPECT_NEAR(centred.value("power").value(), 2.90 - 4.2, 1e-12);
  EXPECT_TRUE(centred.intervals.empty());
  EXPECT_EQ(centred.mean_rating, std::nullopt);
}

TEST(ScaleMaps, WithoutAMeanRatingThatOfTheDimensionsServesUnlessSomeAreLeftOut) {
  auto target = ratings();
  EXPECT_NEAR(converted(target, ScaleMap::kCentre)->value("power").value(), 2.90 - 4.143, 1e-12);
  target.values[4].second = std::nan("");
  EXPECT_EQ(
      converted(target, ScaleMap::kCentre).error().message,
      "target uk: \"power\" is left out and \"mean_rating\" is not given, so nothing says what centring takes off");
}

TEST(ScaleMaps, IntervalsFollowTheScaleAndStayInside) {
  auto target = ratings();
  target.intervals.assign(10, {3.5, 6.5, 100});
  const auto unit = converted(target, ScaleMap::kFrom1To6).value();
  EXPECT_EQ(unit.intervals[0].low, 0.0);
  EXPECT_EQ(unit.intervals[0].high, 1.0);
  EXPECT_EQ(unit.intervals[0].count, 100u);
}

TEST(ScaleMaps, StartFromRawOnly) {
  const auto france = load_target("ess11_fr").value();
  EXPECT_EQ(converted(france, ScaleMap::kCentre).error().message, "target ess11_fr: it is centred already");
  EXPECT_EQ(
      converted(france, ScaleMap::kFrom1To6).error().message,
      "target ess11_fr: there is no map from centred to unit: centring took away where the middle of the rating scale "
      "was; start from raw means, or name two targets of one convention (valence target list)");
  EXPECT_EQ(converted(load_target("svo_ideal").value(), ScaleMap::kCentre).error().message,
            "target svo_ideal: there is no map from none to centred");
  auto outside = ratings();
  outside.values[4].second = 0.4;
  EXPECT_EQ(converted(outside, ScaleMap::kFrom1To6).error().message,
            "target uk: \"power\" is 0.4, and from_1_6 reads ratings from 1 to 6");
}

TEST(ScaleMaps, AreFoundByName) {
  EXPECT_EQ(scale_map_from("centre"), ScaleMap::kCentre);
  EXPECT_EQ(scale_map_from("from_1_6"), ScaleMap::kFrom1To6);
  EXPECT_EQ(scale_map_from("to_1_6"), ScaleMap::kTo1To6);
  EXPECT_EQ(scale_map_from("zscore").error().message,
            "unknown map \"zscore\"; there are: centre (raw to centred), from_1_6 (raw to unit), to_1_6 (unit to raw)");
}

TEST(ScaleMaps, ToRatingsAndBackIsTheSame) {
  auto uk = load_target("fulcra_uk").value();
  uk.spreads.assign(uk.values.size(), 0.4);
  const auto rated = converted(uk, ScaleMap::kTo1To6).value();
  EXPECT_EQ(rated.scale, ScoreScale::kRaw);
  EXPECT_NEAR(rated.value("benevolence").value(), 3.5 + 2.5 * .652, 1e-12);
  EXPECT_NEAR(rated.spreads[0], 1.0, 1e-12);
  const auto again = converted(rated, ScaleMap::kFrom1To6).value();
  for (const auto& [dimension, value] : uk.values) EXPECT_NEAR(again.value(dimension).value(), value, 1e-12);
  EXPECT_NEAR(again.spreads[0], 0.4, 1e-12);
  EXPECT_TRUE(converted(rated, ScaleMap::kCentre)->spreads.empty());
  EXPECT_EQ(converted(load_target("ess11_fr").value(), ScaleMap::kTo1To6).error().message,
            "target ess11_fr: there is no map from centred to raw");
}

// Issue 4, A.1: a comparison across conventions is refused unless a map is named.
TEST(Comparisons, AcrossConventionsAreRefusedWithTheMapThatHelps) {
  const auto france = load_target("ess11_fr").value(), uk = load_target("fulcra_uk").value();
  EXPECT_TRUE(check_comparable(france, load_target("ess11_de").value()));
  EXPECT_EQ(check_comparable(ratings(), france).error().message,
            "uk is raw and ess11_fr is centred: name the map \"centre\" for uk");
  EXPECT_EQ(check_comparable(uk, ratings()).error().message,
            "fulcra_uk is unit and uk is raw: name the map \"from_1_6\" for uk");
  EXPECT_THAT(check_comparable(uk, france).error().message,
              HasSubstr("fulcra_uk is unit and ess11_fr is centred: there is no map"));
  EXPECT_EQ(check_comparable(uk, load_target("svo_ideal").value()).error().message,
            "fulcra_uk lives in schwartz10 and svo_ideal in svo_ring: they cannot be compared");
}

}  // namespace
}  // namespace valence
