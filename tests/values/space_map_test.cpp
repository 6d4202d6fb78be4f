#include "valence/values/space_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>

namespace valence {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

/// Items of `from` that make up `dimension`, by number from 1.
std::vector<std::size_t> parts_of(const SpaceMap& map, std::string_view dimension) {
  const auto place = load_space(map.to)->find(dimension)->index;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < map.places.size(); ++i) {
    if (map.places[i] == place) numbers.push_back(i + 1);
  }
  return numbers;
}

std::vector<std::size_t> left_out_of(const SpaceMap& map) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < map.places.size(); ++i) {
    if (!map.places[i]) numbers.push_back(i + 1);
  }
  return numbers;
}

TEST(SpaceMaps, AllLoad) {
  const auto ids = list_space_maps().value();
  EXPECT_THAT(
      ids, UnorderedElementsAre("fulcra_code", "fulcra_code_19", "fulcra_paper", "schwartz19_to_10", "touche20_to_10"));
  for (const auto& id : ids) {
    const auto map = load_space_map(id);
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_FALSE(map->source.citation.empty()) << id;
  }
  EXPECT_EQ(load_space_map("fulcra_papre").error().message,
            "unknown map of spaces \"fulcra_papre\"; did you mean \"fulcra_paper\"?");
}

// Spec §1: the table of the paper, by item numbers.
TEST(SpaceMaps, FulcrasPaperHasItsItems) {
  const auto map = load_space_map("fulcra_paper").value();
  EXPECT_THAT(parts_of(map, "self_direction"), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(parts_of(map, "stimulation"), ElementsAre(8, 9, 10));
  EXPECT_THAT(parts_of(map, "hedonism"), ElementsAre(11, 12, 13));
  EXPECT_THAT(parts_of(map, "achievement"), ElementsAre(14, 15, 16, 17, 18));
  EXPECT_THAT(parts_of(map, "power"), ElementsAre(19, 20, 21, 22, 23));
  EXPECT_THAT(parts_of(map, "conformity"), ElementsAre(24, 34, 35, 36, 37, 38, 39, 40));
  EXPECT_THAT(parts_of(map, "security"), ElementsAre(25, 26, 27, 28, 29, 30, 31));
  EXPECT_THAT(parts_of(map, "tradition"), ElementsAre(32, 33));
  EXPECT_THAT(parts_of(map, "benevolence"), ElementsAre(41, 42, 43, 44, 45, 46, 47));
  EXPECT_THAT(parts_of(map, "universalism"), ElementsAre(48, 49, 50, 51, 52, 53, 54, 55));
  EXPECT_THAT(left_out_of(map), ElementsAre(56, 57, 58));
}

// Spec §1: counts of the code's 54 items; 55 (wisdom) and 57 (self-respect) are known there by alias only.
TEST(SpaceMaps, FulcrasCodeMovesSocialNormsToSecurity) {
  const auto map = load_space_map("fulcra_code").value();
  const std::map<std::string, std::size_t> counts = {
      {"self_direction", 7}, {"stimulation", 3}, {"hedonism", 3},   {"achievement", 5}, {"power", 5},
      {"security", 8},       {"tradition", 2},   {"conformity", 7}, {"benevolence", 7}, {"universalism", 7}};
  for (const auto& [dimension, count] : counts) {
    auto parts = parts_of(map, dimension);
    std::erase_if(parts, [](std::size_t item) { return item == 55 || item == 57; });
    EXPECT_EQ(parts.size(), count) << dimension;
  }
  EXPECT_THAT(parts_of(map, "security"), ElementsAre(24, 25, 26, 27, 28, 29, 30, 31));
  EXPECT_THAT(parts_of(map, "achievement"), ::testing::Contains(57));
  EXPECT_THAT(left_out_of(map), ElementsAre(56, 58));
}

// Spec §1: 24 lands in conformity (paper), security (the direct table), or power (by way of the nineteen, where it is
// face).
TEST(SpaceMaps, ThreeWaysOfSocialNormsEndInThreeValues) {
  std::vector<int> labels(58, 0);
  labels[23] = 1;
  const auto ten = load_space("schwartz10").value();
  const auto landed = [&](const std::vector<MappedLabel>& mapped) {
    std::vector<std::string> names;
    for (std::size_t d = 0; d < mapped.size(); ++d) {
      if (mapped[d].label != 0) names.push_back(ten.dimensions[d].id);
    }
    return names;
  };
  EXPECT_THAT(landed(map_labels(*load_space_map("fulcra_paper"), labels).value()), ElementsAre("conformity"));
  EXPECT_THAT(landed(map_labels(*load_space_map("fulcra_code"), labels).value()), ElementsAre("security"));
  std::vector<int> nineteen;
  const auto refined = map_labels(*load_space_map("fulcra_code_19"), labels).value();
  for (const auto& label : refined) nineteen.push_back(label.label);
  EXPECT_THAT(landed(map_labels(*load_space_map("schwartz19_to_10"), nineteen).value()), ElementsAre("power"));
}

TEST(SpaceMaps, RefinedValuesGoWhereTheirNamesSayButFaceAndHumility) {
  for (const std::string id : {"schwartz19_to_10", "touche20_to_10"}) {
    const auto map = load_space_map(id).value();
    const auto from = load_space(map.from).value(), to = load_space(map.to).value();
    for (const auto& part : from.dimensions) {
      const auto& whole = to.dimensions[map.places[part.index].value()].id;
      const auto expected = part.id == "face" ? "power" : part.id == "humility" ? "conformity" : whole;
      EXPECT_EQ(whole, expected);
      EXPECT_TRUE(part.id == "face" || part.id == "humility" || part.id.starts_with(whole)) << part.id;
    }
  }
}

TEST(MergedLabels, AreTheSignOfTheSumAndATieIsUpAndFlagged) {
  EXPECT_EQ(merged_label(std::vector<int>{}).label, 0);
  EXPECT_EQ(merged_label(std::vector<int>{0, 0}).label, 0);
  EXPECT_FALSE(merged_label(std::vector<int>{0, 0}).tie);
  EXPECT_EQ(merged_label(std::vector<int>{-1, -1, 1}).label, -1);
  EXPECT_TRUE(merged_label(std::vector<int>{-1, -1, 1}).mixed);
  EXPECT_FALSE(merged_label(std::vector<int>{-1, -1, 1}).tie);
  EXPECT_EQ(merged_label(std::vector<int>{-1, 1}).label, 1);
  EXPECT_TRUE(merged_label(std::vector<int>{-1, 1}).tie);
}

RC_GTEST_PROP(MergedLabels, OfOneSignHaveThatSign, (const std::vector<bool>& present, bool up)) {
  std::vector<int> labels;
  bool any = false;
  for (const bool p : present) {
    labels.push_back(p ? (up ? 1 : -1) : 0);
    any = any || p;
  }
  const auto merged = merged_label(labels);
  RC_ASSERT(merged.label == (any ? (up ? 1 : -1) : 0));
  RC_ASSERT(!merged.tie && !merged.mixed);
}

TEST(MergedLabels, OfToucheAreNeverOpposed) {
  const auto map = load_space_map("touche20_to_10").value();
  std::vector<int> labels(20, 0);
  labels[7] = 1;   // face
  labels[19] = 1;  // objectivity
  const auto mapped = map_labels(map, labels).value();
  EXPECT_EQ(mapped[4].label, 1);
  EXPECT_EQ(mapped[9].label, 1);
  EXPECT_EQ(mapped[0].label, 0);
  labels[0] = -1;
  EXPECT_EQ(map_labels(map, labels).error().message, "map touche20_to_10: labels should be 0 or 1, got -1");
  EXPECT_EQ(map_labels(map, std::vector<int>(19, 0)).error().message,
            "map touche20_to_10: touche20 has 20 dimensions, got 19 labels");
}

Target nineteen() {
  Target target;
  target.id = "refined";
  target.space = "schwartz19";
  target.scale = ScoreScale::kUnit;
  const auto space = load_space("schwartz19").value();
  for (const auto& dimension : space.dimensions)
    target.values.emplace_back(dimension.id, 0.05 * static_cast<double>(dimension.index));
  return target;
}

TEST(MappedTargets, AreMeansOfTheirParts) {
  const auto ten = mapped(nineteen(), "schwartz19_to_10").value();
  EXPECT_EQ(ten.space, "schwartz10");
  EXPECT_EQ(ten.scale, ScoreScale::kUnit);
  EXPECT_NEAR(ten.value("self_direction").value(), 0.025, 1e-12);
  EXPECT_NEAR(ten.value("power").value(), 0.05 * (5 + 6 + 7) / 3, 1e-12);
  EXPECT_NEAR(ten.value("conformity").value(), 0.05 * (11 + 12 + 13) / 3, 1e-12);
  EXPECT_EQ(ten.provenance.note, "mapped by schwartz19_to_10");
}

TEST(MappedTargets, FollowWeightsAndLeaveOutWhatLacksAPart) {
  auto target = nineteen();
  target.weights.assign(19, 1.0);
  target.weights[0] = 3.0;
  target.values[7].second = std::nan("");  // face
  target.weights[7] = 0.0;
  const auto ten = mapped(target, "schwartz19_to_10").value();
  EXPECT_NEAR(ten.value("self_direction").value(), 0.05 / 4, 1e-12);
  EXPECT_NEAR(ten.weight(0), 2.0, 1e-12);
  EXPECT_TRUE(std::isnan(ten.value("power").value()));
  EXPECT_EQ(ten.weight(4), 0.0);
}

TEST(MappedTargets, AreRefusedWhereNoMapLeads) {
  EXPECT_EQ(mapped(load_target("fulcra_uk").value(), "schwartz19_to_10").error().message,
            "map schwartz19_to_10 starts from schwartz19, and target fulcra_uk lives in schwartz10");
  auto items = nineteen();
  items.space = "schwartz58";
  EXPECT_EQ(mapped(items, "fulcra_code").error().message,
            "map fulcra_code is of labels: scores of schwartz58 have no mean in schwartz10");
  EXPECT_EQ(mapped(items, "schwarz19_to_10").error().message,
            "unknown map \"schwarz19_to_10\"; did you mean \"schwartz19_to_10\"?");
}

std::string map_error(std::string_view rest) {
  const auto map = parse_space_map(
      "id = \"m\"\nfrom = \"svo_ring\"\nto = \"svo_ring\"\nlabels = \"any\"\n"
      "source = { citation = \"c\", licence = \"l\" }\n" +
          std::string(rest),
      "m.toml");
  return map ? "no error" : map.error().message;
}

TEST(MalformedMap, NamesFileLineAndKey) {
  EXPECT_EQ(map_error("[parts]\naltruistic = [\"altruistc\"]\n"),
            "m.toml:7:14: the space \"svo_ring\" has no dimension \"altruistc\"; did you mean \"altruistic\"?");
  EXPECT_EQ(map_error("[parts]\naltruistic = [\"altruistic\", \"altruistic\"]\n"),
            "m.toml:7:14: \"altruistic\" stands a second time");
  EXPECT_EQ(map_error("[parts]\naltruistic = [\"altruistic\"]\nprosocial = [\"prosocial\"]\nindividualistic = "
                      "[\"individualistic\"]\n"),
            "m.toml:6:1: the key \"competitive\" is missing in \"parts\"");
  EXPECT_EQ(map_error("[parts]\naltruistic = [\"altruistic\"]\nprosocial = [\"prosocial\"]\nindividualistic = []\n"),
            "m.toml:9:19: \"individualistic\" needs at least one part");
  const auto rule =
      parse_space_map("id = \"m\"\nfrom = \"svo_ring\"\nto = \"svo_ring\"\nlabels = \"most\"\n", "m.toml");
  EXPECT_EQ(rule.error().message, "m.toml:4:10: \"labels\" should be \"sign_of_sum\" or \"any\", got \"most\"");
}

TEST(MalformedMap, MustSayWhatBecomesOfEveryPart) {
  const auto map = parse_space_map(
      "id = \"m\"\nfrom = \"schwartz10\"\nto = \"svo_ring\"\nlabels = \"any\"\nsource = { citation = \"c\", licence = "
      "\"l\" }\n"
      "left_out = [\"self_direction\", \"stimulation\", \"hedonism\", \"achievement\", \"security\"]\n[parts]\n"
      "altruistic = [\"universalism\"]\nprosocial = [\"benevolence\"]\nindividualistic = [\"tradition\"]\ncompetitive "
      "= [\"conformity\"]\n",
      "m.toml");
  EXPECT_EQ(map.error().message, "m.toml:7:1: \"power\" of schwartz10 is part of nothing; name it in \"left_out\"");
}

TEST(ValueLabels, AreReadAsTheFilesHaveThem) {
  EXPECT_EQ(parse_named_label("have a stable society: +1")->name, "have a stable society");
  EXPECT_EQ(parse_named_label("Be honest:1")->sign, 1);
  EXPECT_EQ(parse_named_label("power : -1")->sign, -1);
  EXPECT_EQ(parse_named_label("power: 0")->sign, 0);
  EXPECT_EQ(parse_named_label("conformity: 1+").error().message,
            "the value label \"conformity: 1+\" should be a name, a colon and +1, 1, 0 or -1");
  EXPECT_FALSE(parse_named_label("achievement: =1"));
  EXPECT_FALSE(parse_named_label("honest"));
}

TEST(ItemNames, AreFoundByLabelAliasAndBareName) {
  const auto items = load_space("schwartz58").value();
  ASSERT_EQ(items.dimensions.size(), 58u);
  EXPECT_EQ(items.named("have a stable society")->index, 30u);
  EXPECT_EQ(items.named("Stable social")->id, "stable_society");
  EXPECT_EQ(items.named("wisdom to accept others")->id, "wisdom");
  EXPECT_EQ(items.named("have social recognition")->id, "social_recognition");
  EXPECT_EQ(items.named("capable")->id, "capable");
  EXPECT_EQ(items.named("SELF-INDULGENT")->id, "self_indulgent");
  EXPECT_EQ(items.named("be respectful"), nullptr);
  EXPECT_EQ(load_space("schwartz10")->named("Humility")->id, "conformity");
}

TEST(ItemNames, MustBeUnambiguous) {
  const auto space = parse_space(
      "id = \"t\"\ntitle = \"T\"\nkind = \"vector\"\nsource = { citation = \"c\", licence = \"l\" }\n"
      "[[dimension]]\nid = \"a\"\nlabel = \"Honest\"\n[[dimension]]\nid = \"b\"\nlabel = \"B\"\naliases = [\"be "
      "honest\"]\n",
      "t.toml");
  EXPECT_EQ(space.error().message, "t.toml:8:1: \"be honest\" names \"a\" too");
}

TEST(Spaces, OfRefinedValuesFollowTheTen) {
  const auto ten = load_space("schwartz10").value(), refined = load_space("schwartz19").value();
  const auto map = load_space_map("schwartz19_to_10").value();
  ASSERT_EQ(refined.dimensions.size(), 19u);
  for (const auto& part : refined.dimensions) {
    const auto& whole = ten.dimensions[map.places[part.index].value()];
    EXPECT_EQ(part.higher_order, whole.higher_order) << part.id;
    EXPECT_EQ(part.opposite, whole.opposite) << part.id;
  }
}

}  // namespace
}  // namespace valence
