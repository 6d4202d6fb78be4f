#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/node.h"
#include "valence/base/result.h"
#include "valence/values/space.h"

namespace valence {

/// Names without extension of the TOML files in a folder of the data folder, in alphabetical order.
Result<std::vector<std::string>> list_catalogue(std::string_view folder);

/// The file of an entry. kNotFound names the entries there are; `what` is "value space" or "target".
Result<std::filesystem::path> find_in_catalogue(std::string_view folder, std::string_view id, std::string_view what);

/// The file's name and its `id` must agree, or one of them would be a lie.
Result<void> check_id(const std::string& id, const std::filesystem::path& file);

/// The table `key` with citation, licence and, when given, note.
Result<Provenance> source_at(const Node& node, std::string_view key);

}  // namespace valence
