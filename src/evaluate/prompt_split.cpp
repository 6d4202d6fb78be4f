#include "valence/evaluate/prompt_split.h"

#include "valence/base/names.h"
#include "valence/evaluate/folds.h"

namespace valence {
namespace {

// Never changed: what was held out once must not be trained on later.
constexpr double kHeldOutShare = 0.5;
constexpr std::uint64_t kSplitSeed = 1;
constexpr Names<PromptSide, 2> kSides{{{PromptSide::kTraining, "training"}, {PromptSide::kHeldOut, "held_out"}}};

}  // namespace

std::string_view to_string(PromptSide side) { return name_of(kSides, side); }
Result<PromptSide> prompt_side_from(std::string_view text) { return value_of(kSides, "side of the split", text); }

PromptSide side_of(std::string_view opening) {
  return is_held_out(prompt_key(opening), kHeldOutShare, kSplitSeed) ? PromptSide::kHeldOut : PromptSide::kTraining;
}

LabelledData on_side(const LabelledData& data, PromptSide side) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < data.rows.size(); ++i) {
    if (side_of(data.rows[i].text.prompt) == side) rows.push_back(i);
  }
  return data.subset(rows);
}

std::string prompt_split_rule() {
  return fmt::format("hash of the normalised first turn, {} % held out, seed {}", kHeldOutShare * 100.0, kSplitSeed);
}

}  // namespace valence
