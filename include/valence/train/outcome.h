#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"

namespace valence {

/// Loss and figures of held-out examples; NaN for what there is none of (null in the file).
struct HeldOutFigures {
  double loss = 0.0;
  std::map<std::string, double> figures;
  std::vector<double> margins = {};  ///< of pairs: reward of the better answer minus the other's, in the data's order
};

/// What valence-train leaves in its output folder (`outcome.json`; docs/formats.md, "Training outcomes").
struct TrainingOutcome {
  std::filesystem::path adapter;  ///< or, if `whole`, the model with all that was trained
  std::string adapter_sha256;
  bool whole = false;  ///< all weights were trained
  std::size_t steps = 0, resumed_from = 0, tokens = 0;
  double seconds = 0.0;
  std::string machine, parity;  ///< one line each: how fast the linear algebra is, how near the engine's numbers
  bool has_held_out = false;
  /// `before`: of the job's model and its adapters as they are, even when the job goes on from an earlier one's
  /// checkpoint.
  HeldOutFigures before, after;
};

/// Kept for a run that goes on, under a key of weights, examples and settings.
std::string to_text(const HeldOutFigures& figures, const Digest& key);
/// Nothing when there is no such file or it is of another key.
std::optional<HeldOutFigures> read_held_out(const std::filesystem::path& path, const Digest& key);

std::string to_text(const TrainingOutcome& outcome);
Result<TrainingOutcome> read_outcome(const std::filesystem::path& path);

}  // namespace valence
