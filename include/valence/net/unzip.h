#pragma once

#include <filesystem>
#include <stop_token>

#include "valence/base/result.h"

namespace valence {

/// Unpacks a zip archive into `folder`, which is made, with python3 as wheels are: names that lead out of the folder
/// lose their way out. kUnsupported: no python3. kCorrupt: no sound zip archive. kDiskFull. kStopped.
Result<void> unpack_zip(const std::filesystem::path& archive, const std::filesystem::path& folder, const std::stop_token& stop);

}  // namespace valence
