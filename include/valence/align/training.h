#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/exam/subject_file.h"
#include "valence/model/open.h"
#include "valence/model/registry.h"
#include "valence/store/store.h"
#include "valence/train/example.h"
#include "valence/train/operations.h"
#include "valence/train/outcome.h"

namespace valence {

/// What is to be trained, on what.
struct TrainingRequest {
  const Operation& operation;
  Settings settings;
  ModelFile model;
  std::vector<AdapterSpec> adapters;  ///< that the model already has; what is learned comes on top of them
  std::vector<TrainingExample> examples;
  std::vector<TrainingExample> held_out;  ///< looked at before and after; may be empty
  std::filesystem::path folder;  ///< of job, adapter and checkpoint; empty = out/align/<operation>-<model>-<digest>
  std::uint64_t seed = 0;
  int threads = 0;
  std::string data;                  ///< where the examples came from, for the record
  std::filesystem::path start = {};  ///< folder of an earlier training that is gone on from; empty = from the weights
};

struct TrainingControl {
  std::stop_token stop;
  bool quiet = false;
};

struct TrainingRun {
  RunId run = 0;
  std::filesystem::path folder;
  TrainingOutcome outcome;
};

/// kUsage for a subject whose weights cannot be trained because it has none: a simulated one.
Result<void> require_weights(const SubjectSpec& subject);

/// What a model is after a training: with one adapter more, or, where all weights were trained, another file.
ModelSpec trained_model(ModelSpec base, const TrainingOutcome& outcome);

/// The operation's own settings among an aligner's, which hold them all.
Result<Settings> settings_of_operation(const Operation& operation, const Settings& settings);

/// Writes the job, has valence-train carry it out, and files the adapter. Whatever is asked again with the same
/// weights, data, start, settings and seed goes on from its last checkpoint; when it was finished and its adapter is
/// still there, it is given back and nothing runs.
///
/// kNotFound when there is no valence-train; kUsage when the folder holds a training of another job; kStopped when
/// stopped; otherwise the trainer's own exit status decides:
/// kUsage for 2, kModel for 1, its message being on standard error already.
Result<TrainingRun> run_training(const TrainingRequest& request, Store& store, const TrainingControl& control);

/// Rewards of answers, per example and path, by the reward model that `valence align reward` left in a folder. Job and
/// rewards go into a folder of `folder` that is named after both; what was rated there is not rated again.
/// kNotFound when the folder holds no reward model, otherwise as run_training.
Result<std::vector<std::vector<double>>> rate_answers(const std::filesystem::path& reward_model,
                                                      std::span<const TrainingExample> answers,
                                                      const std::filesystem::path& folder,
                                                      const TrainingControl& control);

/// Writes what a training left in `folder` in another form: "peft" a folder for the Python library PEFT, the name of a
/// file format ("f32", "f16", "q8_0", …) the whole model with everything merged in. kNotFound when the folder holds no
/// training, otherwise as run_training.
Result<void> export_training(const std::filesystem::path& folder, const std::string& form,
                             const std::filesystem::path& out, const TrainingControl& control);

/// The trainer's program: $VALENCE_TRAIN, beside this program, or in the build tree. kNotFound says how to get it.
Result<std::filesystem::path> find_trainer();

}  // namespace valence
