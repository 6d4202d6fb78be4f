#include "valence/evaluate/dimension_names.h"

#include <filesystem>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

std::string name_key(std::string_view name) { return replace_all(replace_all(fold(trim(name)), "_", " "), "-", " "); }

Result<void> add_name(DimensionNames& names, std::string_view name, std::size_t dimension) {
  const auto [entry, added] = names.byname.try_emplace(name_key(name), dimension);
  if (added || entry->second == dimension) return {};
  return fail(ErrorCode::kUsage, "space {}: \"{}\" names two dimensions, {} and {}", names.space, name,
              names.dimensions[entry->second], names.dimensions[dimension]);
}

Result<void> add_file(DimensionNames& names, const std::filesystem::path& file) {
  VALENCE_TRY(const auto document, read_toml(file));
  VALENCE_CHECK(document.allow_only({"source", "names"}));
  VALENCE_TRY(const auto table, document.at("names"));
  VALENCE_TRY(const auto entries, table.as_table());
  for (const auto& [id, list] : entries) {
    const auto found = std::find(names.dimensions.begin(), names.dimensions.end(), id);
    if (found == names.dimensions.end()) {
      return fail(ErrorCode::kUsage, "{}: space {} has no dimension \"{}\"", to_string(list.position()), names.space,
                  id);
    }
    VALENCE_TRY(const auto others, list.as_strings());
    for (const auto& name : others) {
      VALENCE_CHECK(add_name(names, name, static_cast<std::size_t>(found - names.dimensions.begin())));
    }
  }
  return {};
}

}  // namespace

std::optional<std::size_t> DimensionNames::find(std::string_view name) const {
  const auto found = byname.find(name_key(name));
  if (found == byname.end()) return std::nullopt;
  return found->second;
}

Result<std::size_t> DimensionNames::at(std::string_view name) const {
  if (const auto found = find(name)) return *found;
  const auto near = nearest(name, dimensions);
  return fail(
      ErrorCode::kUsage, "space {} has no dimension \"{}\"{}", space, name,
      near.empty() ? fmt::format("; it has {}", join(dimensions, ", ")) : fmt::format("; did you mean \"{}\"?", near));
}

Result<DimensionNames> dimension_names(const Space& space) {
  DimensionNames names{space.id, {}, {}};
  for (const auto& dimension : space.dimensions) names.dimensions.push_back(dimension.id);
  for (std::size_t d = 0; d < names.size(); ++d) {
    VALENCE_CHECK(add_name(names, space.dimensions[d].id, d));
    VALENCE_CHECK(add_name(names, space.dimensions[d].label, d));
  }
  VALENCE_TRY(const auto data, data_folder());
  const auto file = data / "evaluate" / "names" / (space.id + ".toml");
  if (!std::filesystem::exists(file)) return names;
  VALENCE_CHECK(add_file(names, file));
  return names;
}

}  // namespace valence
