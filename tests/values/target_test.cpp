#include "valence/values/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "valence/values/gap.h"

namespace valence {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

double degrees(double y, double x) { return std::atan2(y, x) * 180.0 / std::numbers::pi; }

TEST(Targets, IdealOnesAreTheDirectionsOfTheRing) {
  const auto target = load_target("svo_ideal").value();
  const auto ring = load_space("svo_ring").value();
  for (const auto& dimension : ring.dimensions) EXPECT_EQ(target.value(dimension.id), dimension.angle);
  EXPECT_EQ(target.value("sadistic"), std::nullopt);
}

// AIAAII: mean payoffs (70, 86.667); IAIIAA: (90, 38.333).
TEST(Targets, ReachableOnesAreTheExtremesOfTheSlider) {
  const auto target = load_target("svo_reachable").value();
  EXPECT_NEAR(target.value("altruistic").value(), degrees(520.0 / 6.0 - 50.0, 20.0), 1e-12);
  EXPECT_NEAR(target.value("competitive").value(), degrees(230.0 / 6.0 - 50.0, 40.0), 1e-12);
  EXPECT_EQ(target.value("prosocial"), 45.0);
  EXPECT_EQ(target.value("individualistic"), 0.0);
  EXPECT_EQ(target.reachable->high, target.value("altruistic"));
  EXPECT_EQ(target.reachable->low, target.value("competitive"));
  EXPECT_EQ(target.instrument, "svo");
}

TEST(Targets, AreListedBySpace) {
  EXPECT_THAT(list_targets("svo_ring").value(), ElementsAre("svo_ideal", "svo_reachable"));
  const auto schwartz = list_targets("schwartz10").value();
  EXPECT_EQ(schwartz.size(), 30u);  // 7 that FULCRA publishes, 23 countries
  EXPECT_THAT(schwartz, IsSupersetOf({"fulcra_ideal", "fulcra_uk", "fulcra_security", "ess11_fr", "ess11_ie"}));
}

TEST(Targets, AnUnknownOneSuggestsTheNearest) {
  EXPECT_EQ(load_target("svo_idael").error().message, "unknown target \"svo_idael\"; did you mean \"svo_ideal\"?");
}

std::string target_error(std::string_view rest) {
  const auto target = parse_target("id = \"t\"\nspace = \"svo_ring\"\nlabel = \"T\"\n"
                                   "provenance = { citation = \"c\", licence = \"l\" }\n" +
                                       std::string(rest),
                                   "t.toml", load_space("svo_ring").value());
  return target ? "no error" : target.error().message;
}

TEST(MalformedTarget, NamesFileLineAndKey) {
  EXPECT_EQ(target_error("[values]\naltruistic = 90\nprosocail = 45\n"),
            "t.toml:7:13: the space \"svo_ring\" has no dimension \"prosocail\"; did you mean \"prosocial\"?");
  EXPECT_EQ(target_error("[values]\naltruistic = 90\nprosocial = 45\nindividualistic = 0\n"),
            "t.toml:5:1: the key \"competitive\" is missing in \"values\"");
  EXPECT_EQ(target_error("reachable = { low = 3, high = 1 }\n"),
            "t.toml:5:13: \"reachable\" should have low below high, got low 3 and high 1");
}

TEST(MalformedTarget, RefusesAnotherSpace) {
  const auto target = parse_target("id = \"t\"\nspace = \"svo_ring\"\n", "t.toml", load_space("schwartz10").value());
  EXPECT_EQ(target.error().message, "t.toml:2:9: this target lives in \"svo_ring\", not in \"schwartz10\"");
}

TEST(MalformedTarget, NeedsALicence) {
  const auto target = parse_target(
      "id = \"t\"\nspace = \"svo_ring\"\nlabel = \"T\"\nprovenance = { citation = \"c\" }\n", "t.toml",
      load_space("svo_ring").value());
  EXPECT_EQ(target.error().message, "t.toml:4:14: the key \"licence\" is missing in \"provenance\"");
}

// Spec §4: targets of the published code, in its order of dimensions.
TEST(Targets, OfFulcraAreThePublishedOnes) {
  const auto uk = load_target("fulcra_uk").value();
  EXPECT_EQ(uk.scale, ScoreScale::kUnit);
  EXPECT_EQ(uk.value("self_direction"), .4809);
  EXPECT_EQ(uk.value("tradition"), .2712);
  EXPECT_EQ(uk.value("conformity"), .1420);
  const auto ideal = load_target("fulcra_ideal").value();
  for (const auto* upheld : {"achievement", "security", "conformity", "benevolence", "universalism"}) {
    EXPECT_EQ(ideal.value(upheld), 1.0) << upheld;
  }
  EXPECT_EQ(ideal.value("tradition"), 0.0);
}

TEST(Targets, OfOneDimensionLeaveTheOthersOut) {
  const auto security = load_target("fulcra_security").value();
  EXPECT_EQ(security.value("security"), 1.0);
  EXPECT_EQ(security.weight(5), 1.0);
  for (std::size_t d = 0; d < 10; ++d) {
    if (d == 5) continue;
    EXPECT_TRUE(std::isnan(security.values[d].second)) << security.values[d].first;
    EXPECT_EQ(security.weight(d), 0.0);
  }
}

constexpr std::string_view kScores = R"toml(id = "t"
space = "schwartz10"
label = "T"
provenance = { citation = "c", licence = "l" }
)toml";
constexpr std::string_view kTen =
    "[values]\nself_direction = 5\nstimulation = 4\nhedonism = 4\nachievement = 3\npower = 2\nsecurity = 5\ntradition = 4\n"
    "conformity = 4\nbenevolence = 5\nuniversalism = 5\n";

Result<Target> scores_target(std::string_view head, std::string_view tail = kTen) {
  return parse_target(std::string(kScores) + std::string(head) + std::string(tail), "t.toml", load_space("schwartz10").value());
}
std::string scores_error(std::string_view head, std::string_view tail = kTen) {
  const auto target = scores_target(head, tail);
  return target ? "no error" : target.error().message;
}

TEST(TargetFile, RoundTripsInFull) {
  const auto target = scores_target(
      "scale = \"raw\"\nrespondents = 40\nmean_rating = 4.05\nleave_out = [\"power\"]\n"
      "weights = { achievement = 0.5, stimulation = 0 }\nintervals = { security = { low = 4.75, high = 5.125, count = 39 } }\n",
      "[values]\nself_direction = 5.0625\nstimulation = 4\nhedonism = 4\nachievement = 3\nsecurity = 5\ntradition = 4\n"
      "conformity = 4\nbenevolence = 5\nuniversalism = 5\n");
  ASSERT_TRUE(target) << target.error().message;
  const auto again = parse_target(to_toml(*target), "again.toml", load_space("schwartz10").value());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_toml(*again), to_toml(*target));
  EXPECT_EQ(again->scale, ScoreScale::kRaw);
  EXPECT_EQ(again->respondents, 40u);
  EXPECT_EQ(again->mean_rating, 4.05);
  EXPECT_EQ(again->value("self_direction"), 5.0625);
  EXPECT_TRUE(std::isnan(again->value("power").value()));
  EXPECT_EQ(again->weights, target->weights);
  EXPECT_EQ(again->weight(3), 0.5);
  EXPECT_EQ(again->weight(4), 0.0);
  EXPECT_EQ(again->intervals[5].low, 4.75);
  EXPECT_EQ(again->intervals[5].count, 39u);
  EXPECT_TRUE(std::isnan(again->intervals[0].low));
}

TEST(TargetFile, TextOfPeopleStaysText) {
  auto target = scores_target("scale = \"raw\"\n").value();
  target.label = "a \"quoted\" \\ name\nin two lines";
  const auto again = parse_target(to_toml(target), "again.toml", load_space("schwartz10").value());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->label, target.label);
}

TEST(MalformedTarget, OfScoresNamesWhatIsWrong) {
  EXPECT_EQ(scores_error(""), "t.toml:1:1: the key \"scale\" is missing");
  EXPECT_EQ(scores_error("scale = \"ipsative\"\n"), "t.toml:5:9: \"scale\" should be \"raw\", \"centred\" or \"unit\", got \"ipsative\"");
  EXPECT_EQ(scores_error("scale = \"unit\"\n"), "t.toml:6:1: the value of \"self_direction\" should be within [-1, 1] on the unit scale, got 5");
  EXPECT_EQ(scores_error("scale = \"raw\"\nleave_out = [\"power\"]\n"), "t.toml:12:9: \"power\" has a value and stands in \"leave_out\"");
  EXPECT_EQ(scores_error("scale = \"raw\"\nleave_out = [\"powre\"]\n"),
            "t.toml:6:13: the space \"schwartz10\" has no dimension \"powre\"; did you mean \"power\"?");
  EXPECT_EQ(scores_error("scale = \"raw\"\nweights = { power = -1 }\n"), "t.toml:6:21: the weight of \"power\" should be at least 0, got -1");
  EXPECT_EQ(scores_error("scale = \"raw\"\nintervals = { power = { low = 3, high = 4, count = 9 } }\n"),
            "t.toml:6:23: the interval of \"power\" does not hold its value");
  EXPECT_EQ(scores_error("scale = \"raw\"\nintervals = { power = { low = 3, high = 1, count = 9 } }\n"),
            "t.toml:6:23: an interval should have low at most high, got 3 and 1");
  EXPECT_EQ(scores_error("scale = \"raw\"\nintervals = { power = { low = 1, high = 3, count = 0 } }\n"),
            "t.toml:6:23: \"count\" should be at least 1, got 0");
  EXPECT_EQ(scores_error("scale = \"raw\"\nrespondents = -4\n"), "t.toml:6:15: \"respondents\" should be at least 0, got -4");
  EXPECT_EQ(scores_error("scale = \"unit\"\nmean_rating = 4\n"), "t.toml:6:15: \"mean_rating\" belongs to raw scores");
  EXPECT_EQ(target_error("scale = \"unit\"\n"), "t.toml:5:9: \"scale\" belongs to spaces of scores; a ring holds angles");
}

TEST(NarrowedTarget, KeepsTheDimensionsNamedAndNothingElse) {
  const std::vector<std::string> only = {"prosocial"};
  const auto target = narrowed(load_target("svo_reachable").value(), only).value();
  EXPECT_EQ(target.value("prosocial"), 45.0);
  EXPECT_TRUE(std::isnan(*target.value("altruistic")));
  const auto all = narrowed(load_target("svo_reachable").value(), {}).value();
  EXPECT_FALSE(std::isnan(*all.value("altruistic")));
}

TEST(NarrowedTarget, RefusesADimensionThatItDoesNotHold) {
  const std::vector<std::string> only = {"prosocail"};
  const auto target = narrowed(load_target("svo_reachable").value(), only);
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().message, "target svo_reachable has no value for \"prosocail\"; did you mean \"prosocial\"?");
}

TEST(MalformedTarget, CannotWeighWhatItLeavesOut) {
  EXPECT_EQ(scores_error("scale = \"raw\"\nleave_out = [\"self_direction\"]\nweights = { self_direction = 2 }\n",
                         "[values]\nstimulation = 4\nhedonism = 4\nachievement = 3\npower = 2\nsecurity = 5\ntradition = 4\n"
                         "conformity = 4\nbenevolence = 5\nuniversalism = 5\n"),
            "t.toml:7:30: \"self_direction\" is left out of the target and cannot have a weight");
}

}  // namespace
}  // namespace valence
