#pragma once

#include <memory>

#include "valence/align/aligner.h"
#include "valence/align/lessons.h"

namespace valence {

/// BaseAlign (Yao et al. 2024): draws responses, reads which values each upholds, and teaches the subject those that
/// lie nearest to the target, over several rounds, each of them drawn from what the last one made. Rewards are watched
/// by an evaluator of other rows and features; alignment stops when that one turns (over_optimisation.h). See
/// docs/base_align.md.
std::unique_ptr<Aligner> make_base_align(Teach teach = teach_by_training());

}  // namespace valence
