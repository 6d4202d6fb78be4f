#include "valence/evaluate/touche.h"

#include <unordered_map>

#include "valence/base/csv.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

constexpr std::string_view kCategories = "touche20", kMap = "touche20_to_10";
constexpr CsvOptions kTabs{.separator = '\t', .quoting = false};

/// Place of each label column among the categories, the first column being the argument's id.
Result<std::vector<std::size_t>> category_places(const CsvTable& table) {
  VALENCE_TRY(const auto space, load_space(kCategories));
  std::vector<std::size_t> places;
  for (std::size_t c = 1; c < table.columns.size(); ++c) {
    const auto* category = space.named(table.columns[c]);
    if (category == nullptr)
      return fail(ErrorCode::kUsage, "{}: \"{}\" is no category of {}", table.file, table.columns[c], space.title);
    places.push_back(category->index);
  }
  if (places.size() == space.dimensions.size()) return places;
  return fail(ErrorCode::kUsage, "{}: expected {} categories, got {}", table.file, space.dimensions.size(),
              places.size());
}

/// Labels of the ten values by the argument's id.
Result<std::unordered_map<std::string, std::vector<ValueLabel>>> labels_by_argument(const CsvTable& table,
                                                                                    const SpaceMap& map) {
  VALENCE_TRY(const auto places, category_places(table));
  std::unordered_map<std::string, std::vector<ValueLabel>> all;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    std::vector<int> parts(places.size(), 0);
    for (std::size_t c = 0; c < places.size(); ++c) {
      const auto& cell = table.rows[row][c + 1];
      if (cell != "0" && cell != "1")
        return fail(ErrorCode::kUsage, "{}: a label should be 0 or 1, got \"{}\"", table.where(row), cell);
      parts[places[c]] = cell == "1" ? 1 : 0;
    }
    VALENCE_TRY(const auto mapped, map_labels(map, parts));
    auto& labels = all[table.rows[row].front()];
    for (const auto& one : mapped) labels.push_back(static_cast<ValueLabel>(one.label));
  }
  return all;
}

}  // namespace

Result<LabelledData> read_touche(const std::filesystem::path& folder, const DimensionNames& names, TouchePart part) {
  VALENCE_TRY(const auto map, load_space_map(kMap));
  if (names.space != map.to)
    return fail(ErrorCode::kMismatch, "Touché's arguments are labelled in {}, not in {}", map.to, names.space);
  const std::string_view rows = part == TouchePart::kTraining ? "training" : "validation";
  VALENCE_TRY(const auto arguments, read_csv(folder / fmt::format("arguments-{}.tsv", rows), kTabs));
  VALENCE_TRY(const auto table, read_csv(folder / fmt::format("labels-{}.tsv", rows), kTabs));
  VALENCE_TRY(const auto labels, labels_by_argument(table, map));
  VALENCE_TRY(const auto id, arguments.column("Argument ID"));
  VALENCE_TRY(const auto conclusion, arguments.column("Conclusion"));
  VALENCE_TRY(const auto stance, arguments.column("Stance"));
  VALENCE_TRY(const auto premise, arguments.column("Premise"));
  LabelledData data{names, {}, {}};
  for (std::size_t row = 0; row < arguments.rows.size(); ++row) {
    const auto& cells = arguments.rows[row];
    const auto found = labels.find(cells[id]);
    if (found == labels.end())
      return fail(ErrorCode::kUsage, "{}: argument {} has no labels", arguments.where(row), cells[id]);
    data.rows.push_back(
        {{fmt::format("Argue {}: {}", cells[stance], cells[conclusion]), cells[premise]}, "", found->second});
  }
  return data;
}

}  // namespace valence
