#pragma once

#include <filesystem>
#include <vector>

#include "valence/values/target.h"

namespace valence {

/// All targets of one catalogue: a TOML file that names a CSV beside it and which of its columns hold what
/// (docs/targets.md), one target per row. Errors name the file and line of either.
Result<std::vector<Target>> read_target_catalogue(const std::filesystem::path& file);

/// Targets of every catalogue of the data folder.
Result<std::vector<Target>> load_target_catalogues();

}  // namespace valence
