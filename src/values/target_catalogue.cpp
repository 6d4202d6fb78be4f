#include "target_catalogue.h"

#include <cmath>
#include <set>

#include "target_checks.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

constexpr std::string_view kCatalogues = "targets/catalogues";

/// What the TOML says about the rows of its CSV.
struct Catalogue {
  Target common;          ///< what all rows share
  std::string key;        ///< the column that tells rows apart
  std::string id, label;  ///< patterns with {key}, {name}
  std::string count;      ///< column of respondents; may be empty
  Node columns, names;
};

Result<Catalogue> catalogue_of(const Node& node) {
  VALENCE_CHECK(
      node.allow_only({"csv", "space", "scale", "key", "id", "label", "count", "provenance", "columns", "names"}));
  Catalogue catalogue;
  VALENCE_TRY(catalogue.common.space, node.string_at("space"));
  VALENCE_TRY(const auto scale, node.string_at("scale"));
  auto known = score_scale_from(scale);
  if (!known) return tl::unexpected(node.find("scale")->error(known.error().message));
  catalogue.common.scale = *known;
  VALENCE_TRY(catalogue.common.provenance, source_at(node, "provenance"));
  VALENCE_TRY(catalogue.key, node.string_at("key"));
  VALENCE_TRY(catalogue.id, node.string_at("id"));
  VALENCE_TRY(catalogue.label, node.string_at("label"));
  VALENCE_TRY(catalogue.count, node.string_or("count", ""));
  VALENCE_TRY(catalogue.columns, node.at("columns"));
  VALENCE_TRY(catalogue.names, node.at("names"));
  return catalogue;
}

/// An empty cell is a dimension that the row's target leaves out.
Result<double> cell(const CsvTable& table, std::size_t row, std::string_view column) {
  VALENCE_TRY(const auto place, table.column(column));
  const auto& text = table.rows[row][place];
  if (trim(text).empty()) return kLeftOut;
  return parse_number(text, fmt::format("{}, column \"{}\"", table.where(row), column));
}

Result<void> read_count(const CsvTable& table, std::size_t row, const Catalogue& catalogue, Target& target) {
  if (catalogue.count.empty()) return {};
  VALENCE_TRY(const double count, cell(table, row, catalogue.count));
  if (!(count >= 1.0) || count != std::floor(count)) {
    return fail(ErrorCode::kUsage, "{}: \"{}\" should be a whole number of respondents, got {}", table.where(row),
                catalogue.count, count);
  }
  target.respondents = static_cast<std::size_t>(count);
  return {};
}

Result<Target> target_of_row(const CsvTable& table, std::size_t row, const Catalogue& catalogue, const Space& space) {
  auto target = catalogue.common;
  VALENCE_TRY(const auto key_column, table.column(catalogue.key));
  const auto key = trim(table.rows[row][key_column]);
  auto name = catalogue.names.string_at(key);
  if (!name) return tl::unexpected(with_context(std::move(name).error(), table.where(row)));
  const std::vector<std::pair<std::string, std::string>> words = {{"key", fold(key)}, {"name", *name}};
  VALENCE_TRY(target.id, fill(catalogue.id, words));
  VALENCE_TRY(target.label, fill(catalogue.label, words));
  for (const auto& dimension : space.dimensions) {
    VALENCE_TRY(const auto column, catalogue.columns.string_at(dimension.id));
    VALENCE_TRY(const double value, cell(table, row, column));
    target.values.emplace_back(dimension.id, value);
  }
  VALENCE_CHECK(read_count(table, row, catalogue, target));
  auto sound = check_values(target);
  if (!sound) return tl::unexpected(with_context(std::move(sound).error(), table.where(row)));
  return target;
}

}  // namespace

Result<std::vector<Target>> read_target_catalogue(const std::filesystem::path& file) {
  VALENCE_TRY(const auto node, read_toml(file));
  VALENCE_TRY(const auto catalogue, catalogue_of(node));
  VALENCE_TRY(const auto space, load_space(catalogue.common.space));
  VALENCE_CHECK(check_keys(catalogue.columns, space));
  VALENCE_TRY(const auto csv, node.string_at("csv"));
  VALENCE_TRY(const auto table, read_csv(file.parent_path() / csv));
  std::vector<Target> targets;
  std::set<std::string> ids;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    VALENCE_TRY(auto target, target_of_row(table, row, catalogue, space));
    if (!ids.insert(target.id).second)
      return fail(ErrorCode::kUsage, "{}: a second row makes the target \"{}\"", table.where(row), target.id);
    targets.push_back(std::move(target));
  }
  return targets;
}

Result<std::vector<Target>> load_target_catalogues() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto names, list_catalogue(kCatalogues));
  std::vector<Target> all;
  for (const auto& name : names) {
    VALENCE_TRY(auto targets, read_target_catalogue(data / kCatalogues / (name + ".toml")));
    for (auto& target : targets) all.push_back(std::move(target));
  }
  return all;
}

}  // namespace valence
