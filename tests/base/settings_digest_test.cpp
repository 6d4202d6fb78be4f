#include "valence/base/settings_digest.h"

#include <gtest/gtest.h>

#include "support/scratch.h"

namespace valence {
namespace {

using testing::put_file;
using testing::Scratch;

class SettingsDigest : public ::testing::Test {
 protected:
  std::string digest(const std::string& value) const {
    const SettingTable table = {{"data", SettingType::kText, "", "", "", {}, {}, {}}};
    const auto settings = Settings::resolve(table, std::vector<std::pair<std::string, std::string>>{{"data", value}});
    Hasher hasher;
    EXPECT_TRUE(add_settings(hasher, *settings));
    return hasher.finish().hex();
  }
  std::string path(const std::string& name) const { return (scratch_ / name).string(); }

  Scratch scratch_;
};

TEST_F(SettingsDigest, FollowsTheContentOfFilesThatAreNamed) {
  put_file(scratch_ / "a.jsonl", "1");
  put_file(scratch_ / "b.jsonl", "1");
  const auto both = path("a.jsonl") + ", " + path("b.jsonl");
  const auto before = digest(both);
  EXPECT_EQ(digest(both), before);
  EXPECT_NE(digest(path("a.jsonl")), before);
  put_file(scratch_ / "b.jsonl", "2");
  EXPECT_NE(digest(both), before);
}

TEST_F(SettingsDigest, FollowsTheTomlFilesBesideOne) {
  put_file(scratch_ / "a.toml", "1");
  const auto before = digest(path("a.toml"));
  put_file(scratch_ / "wordings.toml", "2");
  EXPECT_NE(digest(path("a.toml")), before);
}

TEST_F(SettingsDigest, FollowsTheCheckpointOfATrainingsFolder) {
  put_file(scratch_ / "reward" / "job.json", "{}");
  put_file(scratch_ / "reward" / "checkpoint.bin", "1");
  const auto before = digest(path("reward"));
  put_file(scratch_ / "reward" / "trainer.txt", "what it printed");
  EXPECT_EQ(digest(path("reward")), before);
  put_file(scratch_ / "reward" / "checkpoint.bin", "2");
  EXPECT_NE(digest(path("reward")), before);
}

TEST_F(SettingsDigest, TakesAWordForAWord) {
  EXPECT_NE(digest("advice"), digest("trustworthy"));
  EXPECT_EQ(digest("nowhere/a.jsonl"), digest("nowhere/a.jsonl"));
}

}  // namespace
}  // namespace valence
