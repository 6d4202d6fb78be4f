#pragma once

#include <memory>
#include <vector>

#include "valence/align/aligner.h"

namespace valence {

/// A system prompt, with or without examples, that could bring a subject nearer to a target.
struct PromptCandidate {
  std::string id;  ///< "person", "person, with examples"
  std::string system;
  std::vector<Message> examples;
};

/// Every wording of data/align/in_context.toml filled from the target and the cards of its space, each without and
/// (when `examples`) with the examples. In a ring the target must hold one direction, in a space of scores what it puts
/// first and last is read off its values. kUsage when the space has no cards.
Result<std::vector<PromptCandidate>> prompt_candidates(const Target& target, bool examples);

/// Chooses among prompt_candidates by the items of one half; see docs/studies.md. Nothing is trained.
std::unique_ptr<Aligner> make_in_context();

}  // namespace valence
