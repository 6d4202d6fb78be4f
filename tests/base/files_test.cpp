#include "valence/base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <thread>

#include "support/full_disk.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

/// A folder of its own for each test, removed after it.
class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/valence-files-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

/// Sets an environment variable for the lifetime of the object.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name), before_(environment(name)) { ::setenv(name, value, 1); }
  ~Variable() { before_.empty() ? ::unsetenv(name_) : ::setenv(name_, before_.c_str(), 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

TEST_F(Files, WhatIsWrittenIsRead) {
  const auto path = folder_ / "new" / "folders" / "a.txt";
  const std::string content("line\n\0bytes\xFF", 12);
  ASSERT_TRUE(write_file(path, content));
  EXPECT_EQ(read_file(path), content);
  ASSERT_TRUE(write_file(path, "shorter"));
  EXPECT_EQ(read_file(path), "shorter");
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()), 1);
}

TEST_F(Files, ReadsFilesWithoutASize) { EXPECT_FALSE(read_file("/proc/self/status")->empty()); }

TEST_F(Files, MissingFilesAreNotFound) {
  const auto result = read_file(folder_ / "absent");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(result.error().message, (folder_ / "absent").string() + ": cannot read: No such file or directory");
}

TEST_F(Files, FoldersAreNoFiles) {
  EXPECT_EQ(read_file(folder_).error().message, folder_.string() + ": cannot read: Is a directory");
  const auto written = write_file(folder_, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kIo);
  EXPECT_EQ(written.error().message, folder_.string() + ": cannot write: Is a directory");
}

TEST_F(Files, AFileIsNoFolder) {
  ASSERT_TRUE(write_file(folder_ / "a", "x"));
  const auto written = write_file(folder_ / "a" / "b", "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kIo);
  EXPECT_EQ(written.error().message, (folder_ / "a" / "b").string() + ": cannot write: Not a directory");
}

TEST_F(Files, LinksKeepPointingWhereTheyDid) {
  ASSERT_TRUE(write_file(folder_ / "real", "old"));
  fs::create_symlink("real", folder_ / "link");
  ASSERT_TRUE(write_file(folder_ / "link", "new"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "real"), "new");
}

TEST_F(Files, AFullDeviceIsDiskFull) {
  const auto written = write_file("/dev/full", "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(written.error().message, "/dev/full: cannot write: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Files, AFullDiskLeavesTheOldFileAndNothingElse) {
  const auto path = folder_ / "a.txt";
  ASSERT_TRUE(write_file(path, "old"));
  const auto written = [&] {
    const testing::FullDisk full(4096);
    return write_file(path, std::string(10'000, 'x'));
  }();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(written.error().message, path.string() + ": cannot write: File too large");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, ReadersNeverSeeHalfAFile) {
  const auto path = folder_ / "a.txt";
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');
  ASSERT_TRUE(write_file(path, a));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(write_file(path, i % 2 == 0 ? b : a));
    }
    done = true;
  });
  while (!done) {
    const auto content = read_file(path).value();
    EXPECT_TRUE(content == a || content == b);
  }
  writer.join();
}

TEST_F(Files, CacheFollowsTheEnvironment) {
  const Variable own("VALENCE_CACHE", "");
  const Variable shared("XDG_CACHE_HOME", "");
  const Variable home("HOME", "/home/someone");
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/valence");
  const Variable relative("XDG_CACHE_HOME", "cache");  // the standard says to ignore relative ones
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/valence");
  const Variable absolute("XDG_CACHE_HOME", "/var/cache/someone");
  EXPECT_EQ(cache_folder(), "/var/cache/someone/valence");
  const Variable named("VALENCE_CACHE", "/big/disk");
  EXPECT_EQ(cache_folder(), "/big/disk");
}

TEST_F(Files, DataComesFromTheEnvironmentFirst) {
  const Variable named("VALENCE_DATA", folder_.c_str());
  EXPECT_EQ(data_folder(), folder_);
  const Variable wrong("VALENCE_DATA", "/nonexistent/data");
  ASSERT_FALSE(data_folder());
  EXPECT_EQ(data_folder().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(data_folder().error().message,
            "the folder of data files that VALENCE_DATA names does not exist: /nonexistent/data");
}

TEST_F(Files, DataIsFoundInTheSourceTree) {
  const Variable unset("VALENCE_DATA", "");
  EXPECT_EQ(data_folder(), VALENCE_SOURCE_DATA);
}

TEST_F(Files, ALockIsHeldByOneAtATime) {
  const auto path = folder_ / "lock";
  auto first = FileLock::acquire(path);
  ASSERT_TRUE(first);
  std::atomic<int> waited{0};
  std::atomic<bool> entered{false};
  std::thread second([&] {
    const auto lock = FileLock::acquire(path, [&] { ++waited; });
    entered = lock.has_value();
  });
  while (waited == 0) std::this_thread::yield();
  EXPECT_FALSE(entered);
  { const FileLock released = *std::move(first); }
  second.join();
  EXPECT_TRUE(entered);
  EXPECT_EQ(waited, 1);
}

TEST_F(Files, AFreeLockDoesNotWait) {
  bool waited = false;
  EXPECT_TRUE(FileLock::acquire(folder_ / "new" / "lock", [&] { waited = true; }));
  EXPECT_FALSE(waited);
}

TEST_F(Files, PlacesOfOneFileAreLockedApart) {
  constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();
  auto first = FileLock::try_acquire(folder_ / "locks", kLargest);
  ASSERT_TRUE(first && *first);
  EXPECT_FALSE(*FileLock::try_acquire(folder_ / "locks", kLargest));
  EXPECT_TRUE(*FileLock::try_acquire(folder_ / "locks", 0));
  first->reset();
  EXPECT_TRUE(*FileLock::try_acquire(folder_ / "locks", kLargest));
  EXPECT_EQ(fs::file_size(folder_ / "locks"), 0U);
}

TEST_F(Files, AFolderCannotBeLocked) {
  EXPECT_EQ(FileLock::acquire(folder_).error().message, folder_.string() + ": cannot lock: Is a directory");
}

}  // namespace
}  // namespace valence
