#pragma once

#include <filesystem>

#include "llama.h"
#include "valence/base/result.h"

namespace valence {

/// Quantises to a temporary name, then renames. `pure`: every matrix, the embeddings among them, in the one format.
Result<void> quantise(const std::filesystem::path& source, const std::filesystem::path& target, llama_ftype type, bool pure);

}  // namespace valence
