#pragma once

#include <memory>

#include "valence/align/aligner.h"

namespace valence {

/// Choice alignment: learns the answers that another subject gives to the instrument's questions, all layouts balanced
/// (choice_data, run_training). The setting `toward` names whose answers; the target of the study, if any, is not read.
std::unique_ptr<Aligner> make_choice();

}  // namespace valence
