#include "valence/values/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "valence/values/gap.h"

namespace valence {
namespace {

using testing::ElementsAre;

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
  EXPECT_THAT(list_targets("schwartz10").value(), ElementsAre());
}

TEST(Targets, AnUnknownOneSuggestsTheNearest) {
  EXPECT_EQ(load_target("svo_idael").error().message, "unknown target \"svo_idael\"; did you mean \"svo_ideal\"?");
}

std::string error_of(std::string_view rest) {
  const auto target = parse_target("id = \"t\"\nspace = \"svo_ring\"\nlabel = \"T\"\n"
                                   "provenance = { citation = \"c\", licence = \"l\" }\n" +
                                       std::string(rest),
                                   "t.toml", load_space("svo_ring").value());
  return target ? "no error" : target.error().message;
}

TEST(MalformedTarget, NamesFileLineAndKey) {
  EXPECT_EQ(error_of("[values]\naltruistic = 90\nprosocail = 45\n"),
            "t.toml:7:13: the space \"svo_ring\" has no dimension \"prosocail\"; did you mean \"prosocial\"?");
  EXPECT_EQ(error_of("[values]\naltruistic = 90\nprosocial = 45\nindividualistic = 0\n"),
            "t.toml:5:1: the key \"competitive\" is missing in \"values\"");
  EXPECT_EQ(error_of("reachable = { low = 3, high = 1 }\n"),
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

}  // namespace
}  // namespace valence
