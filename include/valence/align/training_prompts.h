#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/instruments/prompt_set.h"

namespace valence {

/// Prompts that may be trained on, and what was kept from training.
struct TrainingPrompts {
  std::vector<OpenPrompt> prompts;  ///< of the training side of the one split
  std::size_t read = 0;             ///< distinct prompts of all sources
  std::size_t held_out = 0;         ///< of them: on the other side, for measuring
};

/// Prompts of one or more sources (names of shipped sets or .jsonl files as load_prompts reads them, separated by
/// commas), the training side only. kUsage, naming file and line, for prompts that are for evaluation only: SafeRLHF's,
/// whose lines carry `safety_issues`, judgements of two responses, or the source "saferlhf". kUsage when nothing is
/// left.
Result<TrainingPrompts> load_training_prompts(const std::string& sources, const Space& space);

/// A seeded sample of `count` prompts (all, when there are not more), in the order of the set, and the others.
struct PromptDraw {
  std::vector<OpenPrompt> drawn, others;
};
PromptDraw draw_prompts(const std::vector<OpenPrompt>& prompts, std::size_t count, std::uint64_t seed,
                        const std::string& purpose);

}  // namespace valence
