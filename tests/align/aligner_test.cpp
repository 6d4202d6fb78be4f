#include "valence/align/aligner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/scratch.h"
#include "valence/base/files.h"

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

/// Leaves an adapter with the given content.
class Writer final : public Aligner {
 public:
  explicit Writer(std::string content) : content_(std::move(content)) {}
  const AlignerCard& card() const override { return card_; }
  const SettingTable& settings() const override { return table_; }
  Result<AlignedSubject> align(const AlignContext& context, RunId run) const override {
    const auto adapter = context.folder / "adapter.gguf";
    VALENCE_CHECK(write_file(adapter, content_));
    auto subject = context.base;
    subject.model.adapters.push_back({adapter.string(), 1.0});
    return AlignedSubject{subject, "{}", run};
  }

 private:
  std::string content_;
  AlignerCard card_{.id = "writer", .title = "", .version = "1", .does = "", .limits = "", .changes_weights = true, .needs_target = false, .needs_instrument = false};
  SettingTable table_{{"size", SettingType::kInteger, "1", "", "", {}, 0, 9}};
};

class AlignedFolder : public ::testing::Test {
 protected:
  Result<AlignedSubject> write(const std::string& content, const std::string& size) {
    const Writer writer(content);
    VALENCE_TRY(const auto settings, Settings::resolve(writer.settings(), std::vector<std::pair<std::string, std::string>>{{"size", size}}));
    SubjectSpec base;
    base.model.name = "scripted:ideal";
    return align(writer, {.base = base, .settings = settings, .store = *store_, .folder = scratch_ / "out", .stop = {}});
  }

  Scratch scratch_;
  std::unique_ptr<Store> store_ = Store::open(scratch_ / "v.db").value();
};

TEST_F(AlignedFolder, IsNotWrittenOverByAnotherAlignment) {
  ASSERT_TRUE(write("one", "1"));
  ASSERT_TRUE(write("one", "1"));  // the same again
  const auto other = write("two", "2");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kUsage);
  EXPECT_THAT(other.error().message, ::testing::HasSubstr("holds another alignment (of another subject, target, data or settings"));
  EXPECT_EQ(testing::content_of(scratch_ / "out" / "adapter.gguf"), "one");
}

TEST_F(AlignedFolder, AnotherAdapterInItsPlaceIsFoundOut) {
  const auto run = write("one", "1").value().run;
  ASSERT_TRUE(load_aligned(*store_, run));
  testing::put_file(scratch_ / "out" / "adapter.gguf", "another");
  const auto changed = load_aligned(*store_, run);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(changed.error().message, fmt::format("the adapter or model that run {} left is another now; align anew", run));
  std::filesystem::remove(scratch_ / "out" / "adapter.gguf");
  EXPECT_FALSE(load_aligned(*store_, run));
}

}  // namespace
}  // namespace valence
