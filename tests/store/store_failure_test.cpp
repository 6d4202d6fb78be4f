// What a store does when the machine does not play along.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "opened.h"
#include "support/answers.h"
#include "support/scratch.h"
#include "valence/store/store.h"

namespace valence {
namespace {

namespace fs = std::filesystem;
using testing::open;
using testing::Scratch;
using testing::strange_table;
using testing::svo_run;

/// What `work` says in a process of an ordinary user: root may write anywhere.
std::string said_by_ordinary_user(const std::function<std::string()>& work) {
  int ends[2] = {};
  EXPECT_EQ(::pipe(ends), 0);
  const auto child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(3);
    const auto text = work();
    const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 4);
  }
  ::close(ends[1]);
  std::string said(4096, '\0');
  const auto size = ::read(ends[0], said.data(), said.size());
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  said.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return said;
}

std::string open_error(const fs::path& path, Store::Access access) {
  const auto store = Store::open(path, access);
  if (store) return fmt::format("{} runs", (*store)->runs().value().size());
  return fmt::format("{}: {}", static_cast<int>(store.error().code), store.error().message);
}

std::string io(const std::string& message) { return fmt::format("{}: {}", static_cast<int>(ErrorCode::kIo), message); }

TEST(StoreFailure, AReadOnlyFileIsRefusedForWritingAndReadable) {
  const Scratch scratch;
  const auto path = scratch / "v.db";
  ASSERT_TRUE(open(path)->create_run(svo_run()));
  fs::permissions(path, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  fs::permissions(scratch.path(), fs::perms(0555));
  EXPECT_EQ(said_by_ordinary_user([&] { return open_error(path, Store::Access::kReadWrite); }),
            io("store " + path.string() + ": the file or its folder is read-only. Allow writing, or name another file with "
                                          "--store"));
  EXPECT_EQ(said_by_ordinary_user([&] { return open_error(path, Store::Access::kReadOnly); }), "1 runs");
  fs::permissions(scratch.path(), fs::perms(0755));
}

TEST(StoreFailure, AReadOnlyFolderIsRefused) {
  const Scratch scratch;
  fs::permissions(scratch.path(), fs::perms(0555));
  const auto path = scratch / "v.db";
  EXPECT_EQ(said_by_ordinary_user([&] { return open_error(path, Store::Access::kReadWrite); }),
            io("store " + path.string() + ": cannot be opened. Check that the folder exists and can be written, or name "
                                          "another file with --store"));
  fs::permissions(scratch.path(), fs::perms(0755));
}

TEST(StoreFailure, AFullDiskSaysWhatIsKeptAndWhatToDo) {
  const Scratch scratch;
  const auto path = scratch / "v.db";
  StoreLimits limits;
  limits.largest = 200'000;
  std::size_t kept = 0;
  {
    const auto store = *Store::open(path, Store::Access::kReadWrite, limits);
    const auto run = store->create_run(svo_run()).value();
    Result<void> put;
    for (; kept < 100; ++kept) {
      put = store->put_group(run, sha256(std::to_string(kept)), {std::string(10'000, 'x'), 1, 1});
      if (!put) break;
    }
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ErrorCode::kDiskFull);
    EXPECT_EQ(put.error().message, fmt::format("run 1 stopped: no space left on device. {} computed groups are kept in {}; "
                                               "free some space and run the same command to go on",
                                               kept, path.string()));
    const auto finished = store->finish(run, strange_table(1, 2000), "{}");
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().message, put.error().message);
    EXPECT_TRUE(store->answers(run)->rows.empty());  // all or nothing
  }
  const auto store = open(path);  // without the limit: as after space was freed
  EXPECT_EQ(store->count_groups(1).value(), kept);
  EXPECT_TRUE(store->finish(1, strange_table(1, 2000), "{}"));
}

TEST(StoreFailure, ADamagedFileIsCalledDamaged) {
  const Scratch scratch;
  const auto path = scratch / "v.db";
  {
    const auto store = open(path);
    const auto run = store->create_run(svo_run()).value();
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(store->put_group(run, sha256(std::to_string(i)), {std::string(3'000, 'x'), 1, 1}));
    }
  }
  auto bytes = testing::content_of(path);
  for (std::size_t at = 4096; at < bytes.size(); ++at) bytes[at] = static_cast<char>(at * 7);
  testing::put_file(path, bytes);
  auto store = Store::open(path);
  const auto runs = store ? (*store)->runs() : Result<std::vector<RunRecord>>(tl::unexpected(store.error()));
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(runs.error().message, "store " + path.string() + ": the database is damaged (database disk image is "
                                                             "malformed). Restore a copy, or name another file with --store");
}

TEST(StoreFailure, OtherFilesAreNoStores) {
  const Scratch scratch;
  const auto text = scratch / "notes.txt";
  testing::put_file(text, std::string(5000, 'n'));
  const auto message = [](const fs::path& path) {
    return "store " + path.string() + ": not a Valence store. Name another file with --store";
  };
  EXPECT_EQ(Store::open(text).error().message, message(text));
  EXPECT_EQ(Store::open(text).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(testing::content_of(text), std::string(5000, 'n'));
  const auto other = scratch / "other.db";
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(other.c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, "CREATE TABLE bookmarks (url TEXT)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
  EXPECT_EQ(Store::open(other).error().message, message(other));
}

TEST(StoreFailure, ALockedFileIsWaitedForAndThenTold) {
  const Scratch scratch;
  const auto path = scratch / "v.db";
  ASSERT_TRUE(open(path));
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  StoreLimits limits;
  limits.patience = std::chrono::milliseconds(50);
  const auto store = Store::open(path, Store::Access::kReadWrite, limits);
  ASSERT_TRUE(store) << store.error().message;
  const auto run = (*store)->create_run(svo_run());
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kIo);
  EXPECT_EQ(run.error().message, "store " + path.string() +
                                     ": another process is writing to it. Wait for it to finish and run the same command "
                                     "again, or name another file with --store");
  ASSERT_EQ(sqlite3_exec(handle, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
  EXPECT_TRUE((*store)->create_run(svo_run()));
}

/// Writes groups forever, a byte to `report` after each commit.
[[noreturn]] void write_groups(const fs::path& path, RunId run, int report) {
  const auto store = Store::open(path);
  if (!store) ::_exit(1);
  for (auto number = (*store)->count_groups(run).value();; ++number) {
    if (!(*store)->put_group(run, sha256(std::to_string(number)), {std::to_string(number), 1, 1})) ::_exit(2);
    if (::write(report, "x", 1) != 1) ::_exit(3);
  }
}

TEST(StoreFailure, AKilledProcessLosesNoReportedCommit) {
  const Scratch scratch;
  const auto path = scratch / "v.db";
  const auto run = open(path)->create_run(svo_run()).value();
  std::size_t reported = 0;
  for (std::size_t kill = 0; kill < 5; ++kill) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    const auto child = ::fork();
    if (child == 0) write_groups(path, run, ends[1]);
    ::close(ends[1]);
    char byte = 0;
    for (std::size_t i = 0; i < 5 + 3 * kill; ++i) reported += ::read(ends[0], &byte, 1) == 1 ? 1 : 0;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &byte, 1) == 1) ++reported;  // reported before the signal arrived
    ::close(ends[0]);
    const auto store = open(path);
    const auto kept = store->count_groups(run).value();
    EXPECT_GE(kept, reported);
    EXPECT_LE(kept, reported + 1);  // committed, but killed before it could say so
    for (std::size_t number = 0; number < kept; ++number) {
      EXPECT_EQ(store->group(run, sha256(std::to_string(number)), false).value()->payload, std::to_string(number));
    }
    reported = kept;
  }
  EXPECT_GE(reported, 55U);
}

}  // namespace
}  // namespace valence
