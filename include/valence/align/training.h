#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/base/settings.h"
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
  std::vector<TrainingExample> examples;
  std::vector<TrainingExample> held_out;  ///< looked at before and after; may be empty
  std::filesystem::path folder;  ///< of job, adapter and checkpoint; empty = out/align/<operation>-<model>-<digest>
  std::uint64_t seed = 0;
  int threads = 0;
  std::string compute = "f32";
  std::string data;  ///< where the examples came from, for the record
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

/// Writes the job, has valence-train carry it out, and files the adapter. Whatever is asked again with the same
/// weights, data, settings and seed goes on from its last checkpoint, or is given back when it was finished.
///
/// kNotFound when there is no valence-train; kStopped when stopped; otherwise the trainer's own exit status decides:
/// kUsage for 2, kModel for 1, its message being on standard error already.
Result<TrainingRun> run_training(const TrainingRequest& request, Store& store, const TrainingControl& control);

/// The trainer's program: $VALENCE_TRAIN, beside this program, or in the build tree. kNotFound says how to get it.
Result<std::filesystem::path> find_trainer();

}  // namespace valence
