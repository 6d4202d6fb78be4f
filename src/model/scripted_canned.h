#pragma once

#include <filesystem>
#include <memory>

#include "valence/model/scripted.h"

namespace valence {

/// The subject "canned" of open_scripted. Errors name file and line.
Result<std::shared_ptr<const ScriptedBehaviour>> canned_behaviour(const std::filesystem::path& file);

}  // namespace valence
