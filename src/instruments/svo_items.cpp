#include <algorithm>
#include <cmath>
#include <map>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/instruments/svo.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

constexpr std::size_t kSliderItems = kPrimaryItems + kSecondaryItems;

/// Items in the file's order; options of an item must come as 1, 2, … 9.
Result<std::vector<SliderItem>> read_slider_items(const std::filesystem::path& path) {
  VALENCE_TRY(const auto table, read_csv(path));
  VALENCE_TRY(const auto item, table.column("item"));
  VALENCE_TRY(const auto option, table.column("option"));
  VALENCE_TRY(const auto self, table.column("self"));
  VALENCE_TRY(const auto other, table.column("other"));
  if (table.rows.size() != kSliderItems * kSliderOptions) {
    return fail(ErrorCode::kWrongCount, "{}: expected {} rows (15 items of 9 options), got {}", table.file,
                kSliderItems * kSliderOptions, table.rows.size());
  }
  std::vector<SliderItem> items(kSliderItems);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto& cells = table.rows[row];
    const auto place = row % kSliderOptions;
    auto& slider = items[row / kSliderOptions];
    if (cells[item] != std::to_string(row / kSliderOptions + 1) || cells[option] != std::to_string(place + 1)) {
      return fail(ErrorCode::kUsage, "{}: expected item {}, option {}, got item {}, option {}", table.where(row),
                  row / kSliderOptions + 1, place + 1, cells[item], cells[option]);
    }
    slider.id = cells[item];
    VALENCE_TRY(slider.options[place].self, parse_number(cells[self], table.where(row)));
    VALENCE_TRY(slider.options[place].other, parse_number(cells[other], table.where(row)));
  }
  return items;
}

/// A slider never turns back: each column rises or falls throughout.
bool is_monotone(const SliderItem& item, double Allocation::* coin) {
  const auto& options = item.options;
  const double direction = options.back().*coin - options.front().*coin;
  for (std::size_t i = 1; i < options.size(); ++i) {
    if ((options[i].*coin - options[i - 1].*coin) * direction < 0.0) return false;
  }
  return true;
}

Result<void> read_ends(const Node& root, std::vector<SliderItem>& items) {
  VALENCE_TRY(const auto ends, root.at("endpoints"));
  for (std::size_t i = 0; i < kPrimaryItems; ++i) {
    VALENCE_TRY(const auto node, ends.at(items[i].id));
    VALENCE_TRY(const auto names, node.as_strings());
    if (names.size() != 2) return tl::unexpected(node.error("expected the orientations of the two ends"));
    VALENCE_TRY(const auto left, svo_category_from(names[0]));
    VALENCE_TRY(const auto right, svo_category_from(names[1]));
    items[i].ends = {left, right};
  }
  return {};
}

Result<SvoBoundaries> read_boundaries(const Node& root) {
  VALENCE_TRY(const auto node, root.at("boundaries"));
  SvoBoundaries boundaries{};
  VALENCE_TRY(boundaries.altruistic_prosocial, node.number_at("altruistic_prosocial"));
  VALENCE_TRY(boundaries.prosocial_individualistic, node.number_at("prosocial_individualistic"));
  VALENCE_TRY(boundaries.individualistic_competitive, node.number_at("individualistic_competitive"));
  return boundaries;
}

Result<SvoType> read_svo_type(const Node& node) {
  SvoType type;
  VALENCE_TRY(type.id, node.string_at("id"));
  VALENCE_TRY(type.label, node.string_at("label"));
  VALENCE_TRY(const auto category, node.string_at("category"));
  VALENCE_TRY(type.category, svo_category_from(category));
  VALENCE_TRY(type.answers, node.string_at("answers"));
  const bool known = type.answers.find_first_not_of("ABCDEFGHI?") == std::string::npos;
  if (type.answers.size() != kPrimaryItems || !known) {
    return tl::unexpected(node.error("\"answers\" should be six of the letters A to I or \"?\""));
  }
  return type;
}

Result<SecondaryMotive> read_motive(const Node& node) {
  SecondaryMotive motive;
  VALENCE_TRY(motive.id, node.string_at("id"));
  VALENCE_TRY(motive.label, node.string_at("label"));
  VALENCE_TRY(const auto ideals, node.at("ideal"));
  VALENCE_TRY(const auto numbers, ideals.as_numbers());
  if (numbers.size() != kSecondaryItems) {
    return tl::unexpected(ideals.error(fmt::format("expected nine options, got {}", numbers.size())));
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0.0 || numbers[i] > 9.0 || numbers[i] != std::floor(numbers[i])) {
      return tl::unexpected(ideals.error("expected options 1 to 9, or 0 where undefined"));
    }
    if (numbers[i] > 0.0) motive.ideal[i] = static_cast<std::size_t>(numbers[i]);
  }
  return motive;
}

Result<std::vector<SvoType>> read_svo_types(const Node& root) {
  VALENCE_TRY(const auto list, root.at("type"));
  VALENCE_TRY(const auto nodes, list.as_array());
  std::vector<SvoType> types;
  for (const auto& node : nodes) {
    VALENCE_TRY(auto type, read_svo_type(node));
    types.push_back(std::move(type));
  }
  return types;
}

Result<std::array<SecondaryMotive, 4>> read_motives(const Node& root) {
  VALENCE_TRY(const auto list, root.at("secondary"));
  VALENCE_TRY(const auto nodes, list.as_array());
  std::array<SecondaryMotive, 4> motives;
  if (nodes.size() != motives.size()) return tl::unexpected(list.error("expected four motives"));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    VALENCE_TRY(motives[i], read_motive(nodes[i]));
  }
  return motives;
}

}  // namespace

std::span<const SliderItem> SvoMeasure::primary() const { return std::span(items).first(kPrimaryItems); }
std::span<const SliderItem> SvoMeasure::secondary() const { return std::span(items).last(kSecondaryItems); }

std::optional<std::size_t> SvoMeasure::find(std::string_view id) const {
  const auto found = std::ranges::find(items, id, &SliderItem::id);
  if (found == items.end()) return std::nullopt;
  return static_cast<std::size_t>(found - items.begin());
}

Result<SvoMeasure> load_svo_measure() {
  VALENCE_TRY(const auto data, data_folder());
  const auto folder = data / "instruments" / "svo";
  VALENCE_TRY(const auto root, read_toml(folder / "svo.toml"));
  SvoMeasure measure;
  VALENCE_TRY(measure.title, root.string_at("title"));
  VALENCE_TRY(measure.source, source_at(root, "source"));
  VALENCE_TRY(const auto items, root.string_at("items"));
  VALENCE_TRY(measure.items, read_slider_items(folder / items));
  for (const auto& item : measure.items) {
    if (is_monotone(item, &Allocation::self) && is_monotone(item, &Allocation::other)) continue;
    return fail(ErrorCode::kUsage, "{}: item {} turns back; along a slider each person's coins rise or fall throughout",
                (folder / items).string(), item.id);
  }
  VALENCE_CHECK(read_ends(root, measure.items));
  VALENCE_TRY(measure.boundaries, read_boundaries(root));
  VALENCE_TRY(measure.types, read_svo_types(root));
  VALENCE_TRY(measure.motives, read_motives(root));
  return measure;
}

}  // namespace valence
