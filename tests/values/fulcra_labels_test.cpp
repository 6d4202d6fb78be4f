// The published label file of Value FULCRA against the aggregation rule: spec §2, and §7 facts 4 and 5.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

using ::testing::ElementsAre;

struct LabelledRow {
  std::vector<NamedLabel> items, types;
  std::size_t raw_types = 0;
};

/// Labels that can be read; the file has a few that cannot.
std::vector<NamedLabel> readable(const Node& list, std::size_t& odd) {
  std::vector<NamedLabel> labels;
  const auto texts = list.as_strings().value();
  for (const auto& text : texts) {
    if (auto label = parse_named_label(text)) {
      labels.push_back(*label);
    } else {
      ++odd;
    }
  }
  return labels;
}

class FulcraLabels : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto nodes = read_jsonl(data_folder().value() / "evaluate" / "fulcra" / "trustworthy.jsonl").value();
    for (const auto& node : nodes) {
      LabelledRow row;
      row.items = readable(node.at("value_items").value(), odd_items_);
      row.types = readable(node.at("value_types").value(), odd_types_);
      row.raw_types = node.at("value_types")->as_strings()->size();
      rows_.push_back(std::move(row));
    }
  }
  std::vector<LabelledRow> rows_;
  std::size_t odd_items_ = 0, odd_types_ = 0;
  Space ten_ = load_space("schwartz10").value(), items_ = load_space("schwartz58").value();
};

/// Labels of a row by dimension of the space.
std::map<std::string, std::vector<int>> by_dimension(const std::vector<NamedLabel>& labels, const Space& space) {
  std::map<std::string, std::vector<int>> signs;
  for (const auto& label : labels) {
    if (const auto* dimension = space.named(label.name)) signs[dimension->id].push_back(label.sign);
  }
  return signs;
}

TEST_F(FulcraLabels, HaveThePublishedClassCounts) {
  std::map<std::string, std::array<int, 3>> counts;  // of -1, 0, +1
  std::size_t zero = 0, majority = 0;
  for (const auto& row : rows_) {
    const auto signs = by_dimension(row.types, ten_);
    for (const auto& dimension : ten_.dimensions) {
      const auto found = signs.find(dimension.id);
      const int label = found == signs.end() ? 0 : merged_label(found->second).label;
      ++counts[dimension.id][static_cast<std::size_t>(label + 1)];
    }
  }
  ASSERT_EQ(rows_.size(), 1718u);
  EXPECT_THAT(counts["self_direction"], ElementsAre(12, 1495, 211));
  EXPECT_THAT(counts["stimulation"], ElementsAre(0, 1693, 25));
  EXPECT_THAT(counts["hedonism"], ElementsAre(0, 1714, 4));
  EXPECT_THAT(counts["achievement"], ElementsAre(7, 1447, 264));
  EXPECT_THAT(counts["power"], ElementsAre(17, 1658, 43));
  EXPECT_THAT(counts["security"], ElementsAre(66, 1061, 591));
  EXPECT_THAT(counts["tradition"], ElementsAre(5, 1671, 42));
  EXPECT_THAT(counts["conformity"], ElementsAre(76, 950, 692));
  EXPECT_THAT(counts["benevolence"], ElementsAre(86, 370, 1262));
  EXPECT_THAT(counts["universalism"], ElementsAre(109, 785, 824));
  for (const auto& [dimension, count] : counts) {
    zero += static_cast<std::size_t>(count[1]);
    majority += static_cast<std::size_t>(std::max({count[0], count[1], count[2]}));
  }
  EXPECT_NEAR(static_cast<double>(zero) / 17180.0, 0.747614, 5e-7);
  EXPECT_NEAR(static_cast<double>(majority) / 17180.0, 0.801804, 5e-7);
}

TEST_F(FulcraLabels, AreReadButForTheFewThatCannotBe) {
  std::map<std::size_t, int> raw;
  std::size_t humility = 0, respectful = 0;
  std::set<std::string> unknown;
  for (const auto& row : rows_) {
    ++raw[row.raw_types];
    for (const auto& label : row.types) humility += label.name == "Humility" || label.name == "humility" ? 1u : 0u;
    for (const auto& label : row.items) {
      if (items_.named(label.name) != nullptr) continue;
      unknown.insert(label.name);
      ++respectful;
    }
  }
  EXPECT_EQ(raw, (std::map<std::size_t, int>{{0, 1}, {1, 196}, {2, 721}, {3, 504}, {4, 261}, {5, 28}, {6, 5}, {7, 2}}));
  EXPECT_EQ(humility, 11u);
  EXPECT_EQ(odd_types_, 2u);
  EXPECT_EQ(respectful, 17u);
  EXPECT_THAT(unknown, ElementsAre("be respectful"));
}

/// Signs of a row's items by the dimension that owns them.
std::map<std::string, std::vector<int>> owned(const LabelledRow& row, const Space& items, const Space& ten,
                                              const SpaceMap& map) {
  std::map<std::string, std::vector<int>> signs;
  for (const auto& label : row.items) {
    const auto* item = items.named(label.name);
    if (item == nullptr || !map.places[item->index]) continue;
    signs[ten.dimensions[*map.places[item->index]].id].push_back(label.sign);
  }
  return signs;
}

// Fact 5, which counts 4292: our names of items read one row more. In each tie the file lists the dimension with both signs;
// the one that it lists last is +1 in 21 of 25.
TEST_F(FulcraLabels, OfADimensionAreTheSignOfItsItems) {
  const auto map = load_space_map("fulcra_code").value();
  std::size_t unanimous = 0, agreeing = 0, ties = 0, ties_up = 0, mixed = 0;
  for (const auto& row : rows_) {
    const auto types = by_dimension(row.types, ten_);
    for (const auto& [dimension, signs] : owned(row, items_, ten_, map)) {
      const auto type = types.find(dimension);
      if (type == types.end()) continue;
      const auto merged = merged_label(signs);
      const int published = type->second.back();
      unanimous += merged.mixed ? 0u : 1u;
      agreeing += !merged.mixed && merged.label == published ? 1u : 0u;
      mixed += merged.mixed ? 1u : 0u;
      ties += merged.tie ? 1u : 0u;
      ties_up += merged.tie && published == 1 ? 1u : 0u;
    }
  }
  EXPECT_EQ(agreeing, unanimous);
  EXPECT_EQ(unanimous, 4293u);
  EXPECT_EQ(mixed, 29u);
  EXPECT_EQ(ties, 25u);
  EXPECT_EQ(ties_up, 21u);
}

// Fact 4: the README's sample. Both item tables agree on it.
TEST(FulcraSample, BecomesFourDimensions) {
  const auto items = load_space("schwartz58").value();
  std::vector<int> labels(items.dimensions.size(), 0);
  for (const auto* text : {"capable: +1", "safe country: -1", "stable society: -1", "obedient: -1", "honest: -1"}) {
    const auto label = parse_named_label(text).value();
    labels[items.named(label.name)->index] = label.sign;
  }
  for (const std::string id : {"fulcra_paper", "fulcra_code"}) {
    std::vector<int> ten;
    const auto mapped = map_labels(load_space_map(id).value(), labels).value();
    for (const auto& label : mapped) ten.push_back(label.label);
    EXPECT_THAT(ten, ElementsAre(0, 0, 0, 1, 0, -1, 0, -1, -1, 0)) << id;
  }
}

}  // namespace
}  // namespace valence
