#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace valence {

/// One optimiser step of a training run, as kept in the store (table training_steps). What an objective does not have
/// is unset.
struct TrainingStep {
  std::int64_t step = 0;  ///< from 1
  std::int64_t examples = 0;
  std::int64_t tokens = 0;  ///< computed, shared prefixes once
  double loss = 0.0;
  double learning_rate = 0.0;
  double gradient_norm = 0.0;  ///< before clipping
  double seconds = 0.0;
  std::optional<double> accuracy;  ///< share of pairs or questions that come out as they should
  std::optional<double> margin;    ///< mean reward_chosen − reward_rejected
  std::optional<double> reward_chosen, reward_rejected;
  std::optional<double> reward;   ///< of sampled answers
  std::optional<double> kl;       ///< nats per learned token: drift from the start
  std::optional<double> entropy;  ///< nats per sampled token
  std::optional<double> clip_fraction;
  std::optional<double> length;          ///< mean tokens of an answer
  std::map<std::string, double> phases;  ///< seconds per phase
  std::map<std::string, double> others;  ///< figures of one objective only

  double tokens_per_second() const { return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0; }
};

/// A file that a run made: an adapter, a checkpoint, a report.
struct Artefact {
  std::string kind;  ///< "adapter", "peft", "checkpoint"
  std::string path;
  std::string sha256;  ///< of its content; empty for folders
};

}  // namespace valence
