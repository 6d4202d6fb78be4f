#include "valence/net/unzip.h"

#include <gtest/gtest.h>

#include "support/environment.h"
#include "support/scratch.h"
#include "support/wheel.h"

namespace valence {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using testing::put_file;
using testing::Scratch;

TEST(UnpackZip, FilesAndFoldersComeOut) {
  const Scratch scratch;
  put_file(scratch / "a.zip", testing::stored_zip({{"config.json", "{}"}, {"1_Pooling/config.json", "[]"}}));
  const auto done = unpack_zip(scratch / "a.zip", scratch / "out", {});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content_of(scratch / "out/config.json"), "{}");
  EXPECT_EQ(content_of(scratch / "out/1_Pooling/config.json"), "[]");
}

TEST(UnpackZip, NoNameLeadsOutOfTheFolder) {
  const Scratch scratch;
  put_file(scratch / "a.zip", testing::stored_zip({{"../../escaped", "x"}}));
  ASSERT_TRUE(unpack_zip(scratch / "a.zip", scratch / "deep/er/out", {}));
  EXPECT_FALSE(fs::exists(scratch / "deep/escaped"));
  EXPECT_EQ(content_of(scratch / "deep/er/out/escaped"), "x");
}

TEST(UnpackZip, WhatIsNoArchiveIsTold) {
  const Scratch scratch;
  put_file(scratch / "a.zip", "no archive");
  const auto done = unpack_zip(scratch / "a.zip", scratch / "out", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(done.error().message, (scratch / "a.zip").string() + ": cannot be unpacked: zipfile.BadZipFile: File is not a zip file");
}

TEST(UnpackZip, WithoutPythonItSaysSo) {
  const Scratch scratch;
  const testing::Environment path("PATH", scratch.path().string());
  const auto done = unpack_zip(scratch / "a.zip", scratch / "out", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "python3 was not found: archives are unpacked with it. Install it and run the same command again");
}

}  // namespace
}  // namespace valence
