#include "valence/evaluate/prompt_split.h"

#include <gtest/gtest.h>

#include <set>

namespace valence {
namespace {

TEST(PromptSplit, IsTheSameForWhatDiffersInCasePunctuationOrSpacingOnly) {
  for (int i = 0; i < 50; ++i) {
    const auto prompt = fmt::format("What should I do about neighbour {}?", i);
    const auto shouted = fmt::format("  WHAT should I do, about neighbour  {}", i);
    EXPECT_EQ(side_of(prompt), side_of(shouted)) << prompt;
  }
}

// Pinned: a prompt that was held out once must never be trained on by a later version.
TEST(PromptSplit, NeverMovesAPrompt) {
  std::string sides;
  for (int i = 0; i < 24; ++i)
    sides += side_of(fmt::format("prompt number {}", i)) == PromptSide::kTraining ? 't' : 'h';
  EXPECT_EQ(sides, "tttttththhthhhththhhthht");
}

TEST(PromptSplit, HalvesTheShippedLabelsWithNoPromptOnBothSides) {
  const auto names = dimension_names(load_space("schwartz10").value()).value();
  const auto all = read_labelled(fulcra_path().value(), names).value();
  const auto training = on_side(all, PromptSide::kTraining), held_out = on_side(all, PromptSide::kHeldOut);
  EXPECT_EQ(training.rows.size() + held_out.rows.size(), 1718u);
  EXPECT_NEAR(static_cast<double>(training.rows.size()), 859.0, 85.0);
  std::set<std::string> seen;
  for (const auto& row : training.rows) seen.insert(prompt_key(row.text.prompt));
  for (const auto& row : held_out.rows) EXPECT_FALSE(seen.contains(prompt_key(row.text.prompt)));
}

TEST(PromptSplit, NamesWhatIsNoSide) {
  const auto side = prompt_side_from("test");
  ASSERT_FALSE(side);
  EXPECT_EQ(side.error().message, "unknown side of the split \"test\"; it should be one of training, held_out");
}

}  // namespace
}  // namespace valence
