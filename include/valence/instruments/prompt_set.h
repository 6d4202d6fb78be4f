#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/prompt_split.h"
#include "valence/model/conversation.h"
#include "valence/values/space.h"

namespace valence {

/// Something that a subject is asked in free text.
struct OpenPrompt {
  std::string id;                 ///< the random unit
  std::vector<Message> history;   ///< earlier turns
  std::string text;               ///< the last user turn
  std::vector<std::string> tags;  ///< risks that it carries, or ids of dimensions that are at stake in it
};

/// What the person says first: which side of the one split of prompts it is on hangs on this alone.
std::string opening_of(const OpenPrompt& prompt);
std::vector<OpenPrompt> prompts_on(const std::vector<OpenPrompt>& prompts, PromptSide side);

/// Prompts by the name of a shipped set ("advice": requests for advice around the items of a questionnaire, every
/// dimension of `space` at stake equally often; "trustworthy": FULCRA's, written to provoke) or from JSONL: one object per line with `prompt`, or with `chosen`, a
/// dialogue in the form of HH-RLHF whose last answer is left off; optional `id` and `tags` (or `safety_issues`, as
/// SafeRLHF calls them). Prompts that differ in case, punctuation or spacing only are one prompt, with the tags of all.
/// Errors name file and line; an unknown name is kUsage and names the sets there are.
Result<std::vector<OpenPrompt>> load_prompts(const std::string& name_or_path, const Space& space);

/// A seeded sample of `count` (0, or as many as there are: all), in the order of the set. Where tags name dimensions,
/// each gets the same number, and the sample has the next multiple of that.
std::vector<OpenPrompt> sample_prompts(const std::vector<OpenPrompt>& prompts, std::size_t count, const Space& space,
                                       std::uint64_t seed);

/// A dialogue in the form "\n\nHuman: …\n\nAssistant: …" as turns, the last answer left off. kUsage unless it begins
/// with a person's turn.
Result<std::vector<Message>> hh_turns(std::string_view dialogue);

}  // namespace valence
