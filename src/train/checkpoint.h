#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"

namespace valence::train {

/// All that a run needs to go on as if it had never stopped. Random streams are functions of seed and step, so the step
/// is their state and the place in the data.
struct Checkpoint {
  Digest job;              ///< TrainingJob::digest: another job's checkpoint is refused
  std::uint64_t step = 0;  ///< the next to be done
  std::vector<std::pair<std::string, torch::Tensor>> tensors;  ///< parameters, by name
  std::string optimiser;                                       ///< as libtorch writes it
};

/// Written to a temporary name, synced, renamed: the old checkpoint or the new one. Ends with a SHA-256 of its content.
/// Layout (docs/formats.md, "Checkpoints").
Result<void> write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
/// kNotFound when there is none, kCorrupt when it is damaged, kMismatch when it is of another version.
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);

}  // namespace valence::train
