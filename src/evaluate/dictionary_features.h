#pragma once

#include <memory>

#include "valence/evaluate/features.h"

namespace valence {

/// Whether a word of the prompt and one of the response stands for each of the ten values (20 columns). A hit is worth
/// 1/√20. Fails when the data folder's dictionary cannot be read.
Result<std::shared_ptr<const FeatureFamily>> dictionary_family();

}  // namespace valence
