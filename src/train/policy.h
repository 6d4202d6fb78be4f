#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/train/example.h"

namespace valence::train {

/// What a model says of the learned tokens of some paths, one after the other: [Σ learned] each.
struct PolicyReading {
  torch::Tensor logprobs;  ///< nats
  torch::Tensor entropy;   ///< of the distribution that each token was taken from, nats, no gradient; may be undefined
  torch::Tensor values;    ///< what is still to be got, before each token; undefined without a value head
};

/// What a trainer needs of a model: log-probabilities of learned tokens, and the parameters that move.
class Policy {
 public:
  virtual ~Policy() = default;

  /// Log-probabilities (nats) of the learned tokens of all paths, one after the other: [Σ learned]. Prefixes that paths
  /// share are computed once. Carries a gradient unless gradients are off.
  virtual Result<torch::Tensor> logprobs(std::span<const AnswerPath* const> paths) = 0;
  /// The same with entropies if asked for, and with values if there is a value head. Without an implementation of its
  /// own: the log-probabilities alone.
  virtual Result<PolicyReading> read(std::span<const AnswerPath* const> paths, bool with_entropy);
  /// The log-probabilities of the weights as they were measured: without the adapter, or before full fine-tuning. No gradient.
  virtual Result<torch::Tensor> reference_logprobs(std::span<const AnswerPath* const> paths) = 0;
  /// One number per path, read off its last token's state by a linear head: [paths]. kUnsupported without such a head.
  virtual Result<torch::Tensor> rewards(std::span<const AnswerPath* const> paths);
  /// Tokens that one pass over these paths computes, shared prefixes once.
  virtual std::size_t cost(std::span<const AnswerPath* const> paths) const = 0;

  /// What moves, by name, in a fixed order.
  virtual std::vector<std::pair<std::string, torch::Tensor>> parameters() = 0;
  /// Dropout on or off; what it draws follows from the seed and the step.
  virtual void set_training(bool on, std::size_t step) = 0;
  /// Writes what can be measured (the adapter) into `folder`, each file whole or not at all; gives the adapter's path.
  virtual Result<std::filesystem::path> save(const std::filesystem::path& folder) = 0;
};

}  // namespace valence::train
