#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"

namespace valence::train {

/// All that a run needs to go on as if it had never stopped. Random streams are functions of seed and step, so the step
/// is their state and the place in the data.
struct Checkpoint {
  Digest job;              ///< TrainingJob::digest: another job's checkpoint is refused
  std::uint64_t step = 0;  ///< the next to be done, counted from where the first of the jobs began
  std::vector<std::pair<std::string, torch::Tensor>> tensors;  ///< parameters, by name
  std::string optimiser;                                       ///< as libtorch writes it
  std::uint64_t processes = 1;      ///< that computed it together: others would round their sums otherwise
  std::optional<double> beta = {};  ///< weight of the KL in what is drawn next, where the task adapts it
};

/// Written to a temporary name, synced, renamed: the old checkpoint or the new one. Ends with a SHA-256 of its content.
/// Layout (docs/formats.md, "Checkpoints").
Result<void> write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
/// kNotFound when there is none, kCorrupt when it is damaged, kMismatch when it is of another version.
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);
/// The same of a file's content; `path` names it in errors.
Result<Checkpoint> parse_checkpoint(std::string_view content, const std::filesystem::path& path);

/// Whose checkpoint lies there, by its first lines alone; nothing when there is none, kCorrupt when it has no such
/// lines.
Result<std::optional<Digest>> job_of_checkpoint(const std::filesystem::path& path);

/// Copies a checkpoint's parameters into a model's. kMismatch unless they are the same by name and shape.
Result<void> restore_parameters(const Checkpoint& checkpoint, const std::filesystem::path& path,
                                std::span<const std::pair<std::string, torch::Tensor>> parameters);

}  // namespace valence::train
