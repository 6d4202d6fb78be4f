#pragma once

#include <filesystem>

#include "valence/base/result.h"
#include "valence/evaluate/labelled.h"

namespace valence {

/// Which arguments: those to learn from, or those that were set aside to judge by.
enum class TouchePart { kTraining, kValidation };

/// Arguments of Touché's ValueEval (2023) as labelled responses in Schwartz's ten values: the conclusion
/// and the stance are the prompt, the premise is the response. A value is upheld when the argument resorts to any of
/// its parts; nothing is ever opposed. Reads arguments-training.tsv and labels-training.tsv of `folder`, or the files of the
/// same names with "validation"; the data is not shipped. Fails with kUsage, file and line on a row that is in one file only, an unknown category, or another
/// label than 0 and 1, and with kMismatch when `names` is of another space.
Result<LabelledData> read_touche(const std::filesystem::path& folder, const DimensionNames& names, TouchePart part);

}  // namespace valence
