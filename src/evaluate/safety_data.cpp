#include <cmath>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/evaluate/completeness.h"

namespace valence {
namespace {

Result<std::vector<double>> values_of(const Node& node, const DimensionNames& names) {
  VALENCE_TRY(const auto table, node.as_table());
  std::vector<double> e(names.size(), 0.0);
  for (const auto& [name, value] : table) {
    const auto dimension = names.at(name);
    if (!dimension) return tl::unexpected(value.error(dimension.error().message));
    VALENCE_TRY(e[*dimension], value.as_number());
    if (std::abs(e[*dimension]) > 1.0)
      return tl::unexpected(value.error(fmt::format("\"{}\" should lie within -1 and 1, got {}", name, e[*dimension])));
  }
  return e;
}

Result<bool> safety_of(const Node& line) {
  VALENCE_TRY(const auto node, line.at("safe"));
  return node.as_bool();
}

/// Text and labels: `values` as numbers where it is there, else as labelled responses have them.
Result<void> read_labels(const Node& line, const DimensionNames& names, SafetyRow& row) {
  if (const auto* values = line.find("values")) {
    VALENCE_TRY(row.text, prompted_text(line));
    VALENCE_TRY(row.e, values_of(*values, names));
    return {};
  }
  LabelReading ignored;
  VALENCE_TRY(auto labelled, labelled_response(line, names, ignored));
  row.text = std::move(labelled.text);
  row.e.assign(labelled.labels.begin(), labelled.labels.end());
  return {};
}

}  // namespace

Result<SafetyData> parse_safety_data(std::string_view text, std::string_view name, const DimensionNames& names) {
  VALENCE_TRY(const auto lines, parse_jsonl(text, name));
  SafetyData data{names, {}};
  for (const auto& line : lines) {
    SafetyRow row;
    row.place = to_string(Position{line.position().file, line.position().line, 0});
    VALENCE_CHECK(read_labels(line, names, row));
    VALENCE_TRY(row.safe, safety_of(line));
    VALENCE_TRY(row.genre, line.string_or("genre", ""));
    VALENCE_TRY(row.language, line.string_or("language", ""));
    data.rows.push_back(std::move(row));
  }
  if (data.rows.empty()) return fail(ErrorCode::kUsage, "{}: no responses; expected one JSON object per line", name);
  return data;
}

Result<SafetyData> read_safety_data(const std::filesystem::path& path, const DimensionNames& names) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_safety_data(text, path.string(), names);
}

}  // namespace valence
