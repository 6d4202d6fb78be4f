#include "valence/base/process.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/scratch.h"
#include "valence/base/files.h"

namespace valence {
namespace {

using testing::Scratch;

Result<int> ran(const Scratch& scratch, std::vector<std::string> arguments, bool keeps_stderr = false) {
  return run_program({std::move(arguments), {{"VALENCE_WORD", "a 'quoted' $word"}}, scratch.path() / "out.txt", keeps_stderr}, {}, {});
}

TEST(RunProgram, GivesStatusAndOutputAndNeedsNoQuoting) {
  const Scratch scratch;
  EXPECT_EQ(ran(scratch, {"sh", "-c", "echo \"$VALENCE_WORD\" \"$1\"; echo wrong >&2; exit 3", "sh", "$HOME; 'x'"}).value(), 3);
  EXPECT_EQ(read_file(scratch.path() / "out.txt").value(), "a 'quoted' $word $HOME; 'x'\nwrong\n");
}

TEST(RunProgram, LeavesStandardErrorWhereItIsWanted) {
  const Scratch scratch;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ran(scratch, {"sh", "-c", "echo right; echo wrong >&2"}, true).value(), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "wrong\n");
  EXPECT_EQ(read_file(scratch.path() / "out.txt").value(), "right\n");
}

TEST(RunProgram, SaysThatThereIsNoSuchProgram) {
  const Scratch scratch;
  EXPECT_EQ(ran(scratch, {"valence-no-such-program"}).error().code, ErrorCode::kNotFound);
}

TEST(RunProgram, EndsTheProgramOnAStop) {
  const Scratch scratch;
  std::stop_source stop;
  const auto outcome = run_program({{"sleep", "60"}, {}, scratch.path() / "out.txt"}, stop.get_token(), [&] { stop.request_stop(); });
  EXPECT_EQ(outcome.error().code, ErrorCode::kStopped);
}

TEST(TemporaryFolder, DisappearsWithItsOwner) {
  const Scratch scratch;
  std::filesystem::path path;
  {
    const auto folder = TemporaryFolder::inside(scratch.path() / "new").value();
    path = folder.path();
    EXPECT_TRUE(std::filesystem::is_directory(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace valence
