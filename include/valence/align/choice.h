#pragma once

#include <memory>

#include "valence/align/aligner.h"

namespace valence {

/// Choice alignment: learns answers to the instrument's questions, all layouts balanced (choice_data, run_training):
/// those that the target amounts to (target_teacher), or those of another subject that the setting `toward` names.
/// kUsage where neither or both are named, or the instrument cannot express the target.
std::unique_ptr<Aligner> make_choice();

}  // namespace valence
