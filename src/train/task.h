#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/train/example.h"

namespace valence::train {

/// What a model says of one example's paths.
struct ScoredExample {
  const TrainingExample* example;
  std::vector<torch::Tensor> logprobs;   ///< per path: [learned]
  std::vector<torch::Tensor> reference;  ///< per path; empty unless the task needs it
  torch::Tensor rewards;                 ///< [paths]; undefined unless the task reads rewards
};

/// Named figures of examples, to be averaged over a step with `weight`.
struct Figures {
  std::map<std::string, double> sums;
  double weight = 0.0;

  void add(const Figures& other);
  double mean(const std::string& name) const { return sums.at(name) / weight; }
};

struct TaskLoss {
  torch::Tensor sum;  ///< of the units' losses; the step divides by their number
  Figures figures;    ///< "accuracy", "margin", "reward_chosen", …
};

/// One paradigm: how the log-probabilities of some examples become a loss.
class Task {
 public:
  virtual ~Task() = default;
  virtual bool needs_reference() const { return false; }
  /// Rewards are read instead of log-probabilities.
  virtual bool reads_rewards() const { return false; }
  /// What a step's loss is a mean over (questions, tokens, pairs): how many an example holds.
  virtual double units(const TrainingExample& example) const = 0;
  virtual Result<TaskLoss> loss(std::span<const ScoredExample> examples) const = 0;
  /// Whether an example is of the shape that this task learns from; kUsage names the example.
  virtual Result<void> check(const TrainingExample& example) const = 0;
};

/// The task of an operation under its settings. One file per paradigm makes its own.
Result<std::unique_ptr<Task>> make_task(std::string_view operation, const Settings& settings);

std::unique_ptr<Task> choice_task(const Settings& settings);
std::unique_ptr<Task> supervised_task();
std::unique_ptr<Task> dpo_task(const Settings& settings);
std::unique_ptr<Task> reference_free_task(std::string_view operation, const Settings& settings);
std::unique_ptr<Task> kto_task(const Settings& settings);
std::unique_ptr<Task> ranking_task();
std::unique_ptr<Task> reward_task(const Settings& settings);

}  // namespace valence::train
