#pragma once

#include <filesystem>
#include <stop_token>

#include "valence/base/progress.h"
#include "valence/base/result.h"

namespace valence {

/// Call first in main(): starts the program anew where its environment would make the linear algebra slow (machine.h).
Result<void> start_training_process(char** arguments);

/// Reads a job, checks that weights and data are those that it was written for, trains, and writes outcome.json.
Result<void> carry_out(const std::filesystem::path& job, Progress& progress, std::stop_token stop);

}  // namespace valence
