#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/store/store.h"

namespace valence {

/// An adapter that the trained model already has.
struct JobAdapter {
  std::filesystem::path path;  ///< LoRA GGUF
  double scale = 1.0;
  Digest sha256;  ///< of its content
};

/// What `valence align` writes and `valence-train` carries out: everything that can change the adapter. Paths are as
/// written; relative ones count from where valence-train is started.
struct TrainingJob {
  std::string operation;             ///< id of an Operation
  Settings settings;                 ///< of the operation's table, resolved
  std::string model_name;            ///< for people
  std::filesystem::path model;       ///< GGUF file
  Digest model_sha256;               ///< of its content: other weights are refused
  std::vector<JobAdapter> adapters;  ///< of the model: added to its weights, which then stay as they are
  std::filesystem::path examples;    ///< training examples, JSON Lines
  Digest examples_sha256;            ///< of their content
  std::filesystem::path start;  ///< checkpoint of an earlier job that this one goes on from; empty = from the weights
  Digest start_sha256;          ///< of its content
  std::filesystem::path held_out;  ///< examples that are only looked at, before and after; may be empty
  std::filesystem::path output;    ///< folder of adapter, checkpoint and log
  std::filesystem::path store;     ///< project database that takes a row per step; may be empty
  RunId run = 0;                   ///< the run in it
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0 = the cores that this process may use

  /// Of everything that can change the adapter (paths, names, store and run cannot): a checkpoint of another job is
  /// refused.
  Digest digest() const;
};

/// JSON form (docs/formats.md, "Training jobs"). Reading it fails with kUsage, file, line and key on anything unknown,
/// settings of the operation's table included.
std::string to_text(const TrainingJob& job);
Result<TrainingJob> read_job(const std::filesystem::path& path);
Result<TrainingJob> parse_job(std::string_view text, std::string_view name);

}  // namespace valence
