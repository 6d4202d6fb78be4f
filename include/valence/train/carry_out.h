#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "valence/base/progress.h"
#include "valence/base/result.h"

namespace valence {

/// Call first in main(): starts the program anew where its environment would make the linear algebra slow (machine.h).
Result<void> start_training_process(char** arguments);

struct CarryOutOptions {
  std::stop_token stop = {};
  std::chrono::milliseconds patience = std::chrono::minutes(5);  ///< to wait for another process before it is given up
  /// Of the program, so that it can start itself anew when other work comes to the machine (waiting.h); null = it never
  /// does.
  char** arguments = nullptr;
  /// Largest mean |difference| of trainer and engine, in nats per token, with which a run begins; none = by the formats
  /// of model and adapters (parity.h).
  std::optional<double> tolerance = {};
};

/// Reads a job, checks that weights and data are those that it was written for and that trainer and engine agree on
/// them (kMismatch), trains, and writes outcome.json.
///
/// When torchrun's or Open MPI's variables say that this is one process of several (docs/training.md, "On more than one
/// machine"), they train together: the first one alone shows progress and writes adapter, checkpoint, outcome and the
/// store's rows. A process that is lost is kNetwork. What libtorch throws, such as when memory runs out, is kModel.
Result<void> carry_out(const std::filesystem::path& job, Progress& progress, const CarryOutOptions& options);

/// Rates answers by a reward model: a job of the operation "reward" that starts from its checkpoint. Nothing moves;
/// rewards.json in the job's output folder holds `job` (its digest) and `rewards`, per example a number per path.
///
/// The checkpoint must be the end of a training, whose job.json and outcome.json lie beside it: kUsage when it was not
/// finished, kMismatch when they are of another. Of several processes the first one rates alone, the others have
/// nothing to do and end well.
Result<void> rate(const std::filesystem::path& job, Progress& progress, std::stop_token stop);

/// Writes the model that a job taught in another form: `form` "peft" makes a folder for the Python library PEFT, the
/// name of a file format ("f32", "f16", "q8_0", …) the whole model with everything merged in (docs/training.md).
/// kNotFound when the job has no checkpoint yet, kMismatch when the checkpoint is of another job, kUsage for an unknown
/// form. Of several processes the first one writes alone.
Result<void> export_trained(const std::filesystem::path& job, const std::string& form,
                            const std::filesystem::path& out);

}  // namespace valence
