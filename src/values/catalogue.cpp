#include "valence/values/catalogue.h"

#include <algorithm>
#include <system_error>

#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence {

Result<std::vector<std::string>> list_catalogue(std::string_view folder) {
  VALENCE_TRY(const auto data, data_folder());
  const auto path = data / folder;
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".toml") names.push_back(entry->path().stem().string());
  }
  if (error) return fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::filesystem::path> find_in_catalogue(std::string_view folder, std::string_view id, std::string_view what) {
  VALENCE_TRY(const auto names, list_catalogue(folder));
  if (std::find(names.begin(), names.end(), id) == names.end()) {
    const auto near = nearest(id, names);
    const auto advice = near.empty() ? "there are: " + join(names, ", ") : "did you mean \"" + near + "\"?";
    return fail(ErrorCode::kNotFound, "unknown {} \"{}\"; {}", what, printable(id), advice);
  }
  VALENCE_TRY(const auto data, data_folder());
  return data / folder / (std::string(id) + ".toml");
}

Result<void> check_id(const std::string& id, const std::filesystem::path& file) {
  if (id == file.stem().string()) return {};
  return fail(ErrorCode::kUsage, "{}: \"id\" is \"{}\"; it should be \"{}\", as the file is named", file.string(),
              printable(id), file.stem().string());
}

Result<Provenance> source_at(const Node& node, std::string_view key) {
  VALENCE_TRY(const auto table, node.at(key));
  VALENCE_CHECK(table.allow_only({"citation", "licence", "note"}));
  Provenance source;
  VALENCE_TRY(source.citation, table.string_at("citation"));
  VALENCE_TRY(source.licence, table.string_at("licence"));
  VALENCE_TRY(source.note, table.string_or("note", ""));
  return source;
}

}  // namespace valence
