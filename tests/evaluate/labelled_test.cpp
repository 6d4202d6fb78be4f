#include "valence/evaluate/labelled.h"

#include <gtest/gtest.h>

#include <array>

#include "support/environment.h"
#include "support/scratch.h"
#include "toy.h"

namespace valence {
namespace {

using testing::toy_names;

std::string line(std::string_view types) {
  return fmt::format(
      R"({{"dialogue": "Human: Why?\nBob: Because.\nBob: too", "value_types": [{}], "response_source": "alpaca"}})",
      types);
}

LabelledData parsed(std::string_view types) { return parse_labelled(line(types), "toy.jsonl", toy_names()).value(); }

TEST(Labelled, DialoguesAreSplitAtTheFirstAnswer) {
  const auto data = parsed("\"order: +1\"");
  ASSERT_EQ(data.rows.size(), 1u);
  EXPECT_EQ(data.rows[0].text.prompt, "Why?");
  EXPECT_EQ(data.rows[0].text.response, "Because.\nBob: too");
  EXPECT_EQ(data.rows[0].responder, "alpaca");
  EXPECT_EQ(data.rows[0].labels, (std::vector<ValueLabel>{1, 0}));
}

TEST(Labelled, PromptAndResponseMayStandApart) {
  const auto data =
      parse_labelled(R"({"prompt": "Why?", "response": "So.", "value_types": ["Care:-1"]})", "toy.jsonl", toy_names())
          .value();
  EXPECT_EQ(data.rows[0].text.response, "So.");
  EXPECT_EQ(data.rows[0].labels, (std::vector<ValueLabel>{0, -1}));
}

TEST(Labelled, RepeatedLabelsBecomeTheSignOfTheirSumAndATieUpholds) {
  const auto data = parsed(R"("order: -1", "order: -1", "order: 1", "care: -1", "care: +1")");
  EXPECT_EQ(data.rows[0].labels, (std::vector<ValueLabel>{-1, 1}));
  EXPECT_EQ(data.reading.repeated, 2u);
  EXPECT_EQ(data.reading.ties, 1u);
}

TEST(Labelled, UnreadableLabelsAreCountedAndAbsent) {
  const auto data = parsed(R"("order: 1+", "care: =1")");
  EXPECT_EQ(data.rows[0].labels, (std::vector<ValueLabel>{0, 0}));
  EXPECT_EQ(data.reading.unparsable, 2u);
}

TEST(Labelled, ALabelOfZeroIsNoTie) { EXPECT_EQ(parsed(R"("order: 0", "order: 0")").rows[0].labels[0], 0); }

TEST(Labelled, ErrorsNameTheLine) {
  const auto message = [](std::string_view text) {
    return parse_labelled(text, "toy.jsonl", toy_names()).error().message;
  };
  EXPECT_EQ(message("{\"dialogue\": \"Bob: hm\", \"value_types\": []}"),
            "toy.jsonl:1:14: \"dialogue\" should read \"Human: …\", then on a line of its own \"Bob: …\"");
  EXPECT_EQ(message(line("\"ordre: +1\"")),
            "toy.jsonl:1:69: space toy has no dimension \"ordre\"; did you mean \"order\"?");
  EXPECT_EQ(message(line("\"order\"")),
            "toy.jsonl:1:69: expected \"dimension: +1\" or \"dimension: -1\", got \"order\"");
  EXPECT_EQ(message(""), "toy.jsonl: no labelled responses; expected one JSON object per line");
}

TEST(PromptKey, IgnoresCaseSpacingAndPunctuation) {
  EXPECT_EQ(prompt_key("Why  not?"), prompt_key("why not"));
  EXPECT_NE(prompt_key("why not"), prompt_key("why knot"));
}

TEST(ResponseId, TellsPromptFromResponse) {
  EXPECT_EQ(response_id({"a", "b"}).size(), 16u);
  EXPECT_NE(response_id({"a", "b"}), response_id({"ab", ""}));
}

TEST(DimensionNames, KnowTouchesCategoriesAndFulcrasHumility) {
  const auto names = dimension_names(load_space("schwartz10").value()).value();
  EXPECT_EQ(names.dimensions[names.at("Humility").value()], "conformity");
  EXPECT_EQ(names.dimensions[names.at("Self-direction: thought").value()], "self_direction");
  EXPECT_EQ(names.dimensions[names.at("SELF_DIRECTION").value()], "self_direction");
  EXPECT_EQ(names.dimensions[names.at("Face").value()], "power");
  EXPECT_EQ(names.at("powr").error().message, "space schwartz10 has no dimension \"powr\"; did you mean \"power\"?");
}

TEST(DimensionNames, RefuseANameOfTwoDimensions) {
  testing::Scratch scratch;
  testing::put_file(scratch / "evaluate/names/toy.toml", "[names]\norder = [\"both\"]\ncare = [\"Both\"]\n");
  const testing::Environment data("VALENCE_DATA", scratch.path().string());
  Space space;
  space.id = "toy";
  for (const auto* id : {"order", "care"}) {
    Dimension dimension;
    dimension.id = dimension.label = id;
    space.dimensions.push_back(dimension);
  }
  EXPECT_EQ(dimension_names(space).error().message, "space toy: \"Both\" names two dimensions, order and care");
}

// Facts of the shared specification (FULCRA's trustworthy split, read with its parse rules).
TEST(Fulcra, HasThePublishedClassCounts) {
  const auto names = dimension_names(load_space("schwartz10").value()).value();
  const auto data = read_labelled(fulcra_path().value(), names).value();
  ASSERT_EQ(data.rows.size(), 1718u);
  EXPECT_EQ(data.reading.unparsable, 2u);
  const std::vector<std::array<int, 3>> expected = {{12, 1495, 211}, {0, 1693, 25},   {0, 1714, 4},  {7, 1447, 264},
                                                    {17, 1658, 43},  {66, 1061, 591}, {5, 1671, 42}, {76, 950, 692},
                                                    {86, 370, 1262}, {109, 785, 824}};
  std::vector<std::array<int, 3>> counts(10, {0, 0, 0});
  for (const auto& row : data.rows) {
    for (std::size_t d = 0; d < 10; ++d) ++counts[d][class_of(row.labels[d])];
  }
  EXPECT_EQ(counts, expected);
}

}  // namespace
}  // namespace valence
