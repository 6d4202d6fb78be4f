#pragma once

#include <memory>

#include "valence/align/aligner.h"
#include "valence/align/lessons.h"

namespace valence {

/// Constitutional alignment (Bai et al. 2022), a stage at a time: the subject criticises and rewrites its own answers
/// under principles and is taught the rewritten ones, or a judge prefers one of two answers under a principle and the
/// subject is taught the preference. Needs no target: the principles are what people chose. See docs/constitutional.md.
std::unique_ptr<Aligner> make_constitutional(Teach teach = teach_by_training());

}  // namespace valence
