#include "valence/values/gap_measures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace valence {
namespace {

// Schwartz's ten, with the profile of the specs' worked response and the ideal target.
const std::vector<std::string> kDimensions = {"self_direction", "stimulation", "hedonism", "achievement", "power",
                                              "security", "tradition", "conformity", "benevolence", "universalism"};
const std::vector<double> kProfile = {.1, 0, -.5, .9, .2, .8, 0, -.4, .6, .25};
const std::vector<double> kIdeal = {0, 0, 0, 1, 0, 1, 0, 1, 1, 1};

double value(std::string_view id, const std::vector<double>& profile, const std::vector<double>& target) {
  return (*find_gap_measure(id))->of({kDimensions, profile, target, {}});
}

TEST(GapMeasures, AreWhatTheirNamesSay) {
  EXPECT_NEAR(value("fulcra_reward", kProfile, kIdeal), -2.1, 1e-12);
  EXPECT_NEAR(value("fulcra_coverage", kProfile, kIdeal), .8, 1e-12);
  EXPECT_NEAR(value("fulcra_l1", kProfile, kIdeal), 3.65, 1e-12);
  EXPECT_NEAR(value("l2", kProfile, kIdeal), .365, 1e-12);
  EXPECT_NEAR(value("h_distance", kProfile, kIdeal), .2 + 1.4 + .4 + .75, 1e-12);
  EXPECT_NEAR(value("e_distance", kProfile, kIdeal), std::sqrt(.04 + 1.96 + .16 + .5625), 1e-12);
  EXPECT_NEAR(value("l1_distinct", kProfile, kIdeal), value("l1", kProfile, kIdeal) * 100.0 / 90.0, 1e-12);
}

TEST(GapMeasures, GiveTheirBestValueForTheTargetItself) {
  for (const auto& measure : gap_measures()) {
    if (!measure.of_target) continue;
    const double best = measure.agreement ? measure.high : measure.low;
    EXPECT_NEAR(measure.of({kDimensions, kIdeal, kIdeal, {}}), best, 1e-12) << measure.id;
  }
}

TEST(GapMeasures, EvaluationDistancesNeedTheirFourDimensions) {
  const std::vector<std::string> other = {"care"};
  const std::vector<double> one = {1.0};
  EXPECT_TRUE(std::isnan((*find_gap_measure("e_distance"))->of({other, one, one, {}})));
}

TEST(GapMeasures, HaveDifferentIdsAndSayWhatTheyCannotTell) {
  std::set<std::string_view> ids;
  for (const auto& measure : gap_measures()) {
    EXPECT_TRUE(ids.insert(measure.id).second) << measure.id;
    EXPECT_FALSE(measure.blind.empty()) << measure.id;
  }
}

TEST(GapMeasures, AnUnknownOneSuggestsTheNearest) {
  EXPECT_EQ(find_gap_measure("kendal").error().message, "unknown distance \"kendal\"; did you mean \"kendall\"?");
  EXPECT_EQ(find_gap_measure("zzz").error().message,
            "unknown distance \"zzz\"; expected one of l1, l1_distinct, l2, ordering, kendall, spearman, cosine, fulcra_l1, "
            "fulcra_reward, fulcra_coverage, e_distance, h_distance");
}

TEST(GapMeasures, FulcraIsForUnitScoresAndCosineForScoresWithAZero) {
  const auto at = [](std::string_view id, std::string_view convention) { return applies(**find_gap_measure(id), convention); };
  EXPECT_TRUE(at("fulcra_reward", "unit"));
  EXPECT_FALSE(at("fulcra_reward", "centred"));
  EXPECT_TRUE(at("cosine", "centred"));
  EXPECT_FALSE(at("cosine", "raw"));
  EXPECT_TRUE(at("l1", "raw"));
}

}  // namespace
}  // namespace valence
