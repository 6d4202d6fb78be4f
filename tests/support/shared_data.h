#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace valence::testing {

/// Data that tests may read and nobody ships: $VALENCE_SHARED_DATA, else shared/data beside the source folder.
inline std::filesystem::path shared_data(const std::filesystem::path& file) {
  const char* named = std::getenv("VALENCE_SHARED_DATA");
  const char* ours = std::getenv("VALENCE_DATA");  // data/ of the source folder; ctest sets it
  if (named != nullptr) return std::filesystem::path(named) / file;
  return (std::filesystem::absolute(ours == nullptr ? "data" : ours) / "../../shared/data" / file).lexically_normal();
}

}  // namespace valence::testing

/// Skips, saying so, where a file of the shared data is absent.
#define VALENCE_NEED_SHARED(file)                                                                          \
  if (!std::filesystem::exists(file))                                                                      \
  GTEST_SKIP() << "NOT CHECKED: " << (file).string() << " is absent; set VALENCE_SHARED_DATA to the folder that holds it"
