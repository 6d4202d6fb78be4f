#include "valence/values/space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace valence {
namespace {

TEST(Spaces, AreListedByName) { EXPECT_THAT(list_spaces().value(), ::testing::IsSupersetOf({"schwartz10", "svo_ring"})); }

TEST(Spaces, AllLoadWithSourceAndLicence) {
  const auto ids = list_spaces().value();
  for (const auto& id : ids) {
    const auto space = load_space(id);
    ASSERT_TRUE(space) << space.error().message;
    EXPECT_EQ(space->id, id);
    EXPECT_FALSE(space->source.citation.empty()) << id;
    EXPECT_FALSE(space->source.licence.empty()) << id;
  }
}

TEST(Spaces, TheRingHasItsFourOrientations) {
  const auto ring = load_space("svo_ring").value();
  EXPECT_EQ(ring.kind, SpaceKind::kRing);
  EXPECT_EQ(ring.coordinate, "angle");
  EXPECT_EQ(ring.unit, "degrees");
  ASSERT_EQ(ring.dimensions.size(), 4u);
  EXPECT_EQ(ring.find("altruistic")->angle, 90.0);
  EXPECT_EQ(ring.find("competitive")->angle, -45.0);
  EXPECT_EQ(ring.find("competitive")->index, 3u);
  EXPECT_EQ(ring.find("sadistic"), nullptr);
}

TEST(Spaces, SchwartzKeepsVectorOrderApartFromTheCircle) {
  const auto space = load_space("schwartz10").value();
  EXPECT_EQ(space.kind, SpaceKind::kCircle);
  ASSERT_EQ(space.dimensions.size(), 10u);
  EXPECT_EQ(space.dimensions[6].id, "tradition");
  EXPECT_EQ(space.find("tradition")->circle_position, space.find("conformity")->circle_position);
  std::set<std::size_t> wedges;
  for (const auto& dimension : space.dimensions) wedges.insert(dimension.circle_position.value());
  EXPECT_EQ(wedges, (std::set<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(space.find("power")->higher_order, "self_enhancement");
  EXPECT_EQ(space.find("power")->opposite, "self_transcendence");
}

TEST(Spaces, AnUnknownOneSuggestsTheNearest) {
  const auto space = load_space("svo_rign");
  ASSERT_FALSE(space);
  EXPECT_EQ(space.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(space.error().message, "unknown value space \"svo_rign\"; did you mean \"svo_ring\"?");
}

TEST(Spaces, ANameIsNoPath) { EXPECT_EQ(load_space("../spaces/svo_ring").error().code, ErrorCode::kNotFound); }

constexpr std::string_view kHead = R"toml(id = "toy"
title = "Toy"
kind = "ring"
coordinate = "angle"
source = { citation = "None (2000)", licence = "CC0-1.0" }
)toml";

std::string error_of(std::string_view rest) {
  const auto space = parse_space(std::string(kHead) + std::string(rest), "toy.toml");
  return space ? "no error" : space.error().message;
}

TEST(MalformedSpace, NamesFileLineAndKey) {
  EXPECT_EQ(error_of("[[dimension]]\nid = \"a\"\nlabel = \"A\"\nangle = 270\n"),
            "toy.toml:9:9: \"angle\" should be above -180 and at most 180 degrees, got 270");
  EXPECT_EQ(error_of("[[dimension]]\nid = \"a\"\nlabel = \"A\"\nangle = 0\n[[dimension]]\nid = \"a\"\nlabel = \"B\"\n"
                     "angle = 1\n"),
            "toy.toml:11:6: a second dimension \"a\"");
  EXPECT_EQ(error_of("[[dimension]]\nid = \"a\"\nlabel = \"A\"\nangle = 0\nopposite = \"b\"\n"),
            "toy.toml:10:12: \"opposite\" names \"b\", which is neither a dimension nor a higher order of this space");
  EXPECT_EQ(error_of("dimension = []\n"), "toy.toml:6:13: a space needs at least one [[dimension]]");
}

TEST(MalformedSpace, RefusesAnotherKindsGeometry) {
  EXPECT_THAT(error_of("[[dimension]]\nid = \"a\"\nlabel = \"A\"\nangle = 0\ncircle_position = 1\n"),
              ::testing::StartsWith("toy.toml:10:19: unknown key \"dimension[0].circle_position\""));
  const auto space = parse_space("id = \"t\"\ntitle = \"T\"\nkind = \"vector\"\ncoordinate = \"angle\"\n", "t.toml");
  EXPECT_EQ(space.error().message, "t.toml:4:14: \"coordinate\" belongs to spaces of kind \"ring\" only");
}

TEST(MalformedSpace, RefusesAnUnknownKind) {
  const auto space = parse_space("id = \"t\"\ntitle = \"T\"\nkind = \"sphere\"\n", "t.toml");
  EXPECT_EQ(space.error().message,
            "t.toml:3:8: \"kind\" should be \"vector\", \"circle\" or \"ring\", got \"sphere\"");
}

TEST(MalformedSpace, ACirclePositionStartsAtOne) {
  const auto space = parse_space(
      "id = \"t\"\ntitle = \"T\"\nkind = \"circle\"\nsource = { citation = \"c\", licence = \"l\" }\n"
      "[[dimension]]\nid = \"a\"\nlabel = \"A\"\ncircle_position = 0\n",
      "t.toml");
  EXPECT_EQ(space.error().message, "t.toml:8:19: \"circle_position\" should be at least 1, got 0");
}

}  // namespace
}  // namespace valence
