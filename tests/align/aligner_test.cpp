#include "valence/align/aligner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/scratch.h"

namespace valence {
namespace {

using testing::Scratch;

TEST(Aligners, AnUnknownMethodSuggestsTheNearest) {
  const auto found = find_aligner("in_contxt");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUsage);
  EXPECT_EQ(found.error().message, "unknown aligner \"in_contxt\"; did you mean \"in_context\"?");
}

TEST(Aligners, OneThatNeedsATargetSaysSo) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "v.db").value();
  const auto* aligner = find_aligner("in_context").value();
  const auto settings =
      Settings::resolve(aligner->settings(), std::vector<std::pair<std::string, std::string>>()).value();
  const SubjectSpec base;
  const auto aligned = align(*aligner, {.base = base, .settings = settings, .store = *store, .folder = {}, .stop = {}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().message, "aligner in_context needs a target");
  EXPECT_TRUE(store->runs()->empty());
}

TEST(Aligners, ARunThatIsNoAlignmentIsRefused) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "v.db").value();
  RunRecord record;
  record.key = "k";
  record.instrument = "svo";
  ASSERT_TRUE(store->create_run(record));
  const auto aligned = load_aligned(*store, 1);
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().message, "run 1 is no finished alignment (svo, running)");
}

}  // namespace
}  // namespace valence
