#include "valence/base/settings_digest.h"

#include <filesystem>
#include <set>

#include "valence/base/text.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

Result<void> add_file(Hasher& hasher, const fs::path& file) {
  VALENCE_TRY(const auto content, sha256_file(file));
  hasher.add(content);
  return {};
}

Result<void> add_named_file(Hasher& hasher, const fs::path& file) {
  VALENCE_CHECK(add_file(hasher, file));
  if (file.extension() != ".toml") return {};
  std::set<fs::path> neighbours;
  for (const auto& entry : fs::directory_iterator(fs::absolute(file).parent_path())) {
    if (entry.is_regular_file() && entry.path().extension() == ".toml") neighbours.insert(entry.path());
  }
  for (const auto& neighbour : neighbours) VALENCE_CHECK(add_file(hasher, neighbour));
  return {};
}

Result<void> add_what_is_named(Hasher& hasher, const std::string& value) {
  std::error_code ignored;
  const bool looks_like_file = value.find_first_of("./") != std::string::npos;  // "advice" is a shipped set, whatever lies here
  if (looks_like_file && fs::is_regular_file(value, ignored)) return add_named_file(hasher, value);
  for (const auto* part : {"job.json", "checkpoint.bin"}) {
    const auto file = fs::path(value) / part;
    if (!value.empty() && fs::is_regular_file(file, ignored)) VALENCE_CHECK(add_file(hasher, file));
  }
  return {};
}

}  // namespace

Result<void> add_settings(Hasher& hasher, const Settings& settings) {
  for (const auto& [name, value] : settings.values()) {
    hasher.add(name).add(value);
    for (const auto& part : split(value, ",")) VALENCE_CHECK(add_what_is_named(hasher, std::string(trim(part))));
  }
  return {};
}

}  // namespace valence
