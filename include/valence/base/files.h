#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "valence/base/result.h"

namespace valence {

/// Whole content. Errors name the path and the system's reason.
Result<std::string> read_file(const std::filesystem::path& path);

/// Writes to a temporary name beside `path`, syncs, then renames: the old file or the new one, never half of either.
/// A full disk (or quota, or limit on file size) is kDiskFull and leaves nothing behind. Missing parent folders are
/// made. A link keeps pointing where it did; a pipe or device is written to in place.
Result<void> write_file(const std::filesystem::path& path, std::string_view content);

/// An environment variable; empty when unset.
std::string environment(const char* name);

/// The folder of downloads and made files: $VALENCE_CACHE, else $XDG_CACHE_HOME/valence, else ~/.cache/valence.
std::filesystem::path cache_folder();

/// The folder of the product's data files: $VALENCE_DATA, else `data/` beside the installed program or in the source
/// tree it was built from. Fails with kNotFound naming the places looked in.
Result<std::filesystem::path> data_folder();

/// A folder of a new name inside `parent`, which is made too; it disappears with its owner, and with all that is in it.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> inside(const std::filesystem::path& parent);
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// An exclusive advisory lock on a file, held until destruction; waits, calling `waiting` once if it has to.
class FileLock {
 public:
  /// Locks one place of a file that many locks share, so that none leaves a file of its own behind; nothing when another
  /// holds that place.
  static Result<std::optional<FileLock>> try_acquire(const std::filesystem::path& path, std::uint64_t place);
  static Result<FileLock> acquire(const std::filesystem::path& path, const std::function<void()>& waiting = {});
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor);
  int descriptor_ = -1;
};

}  // namespace valence
