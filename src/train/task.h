#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/train/example.h"

namespace valence::train {

/// What is settled about an answer that the policy drew, before the first update: per learned token, no gradient.
struct Experience {
  torch::Tensor old_logprobs;  ///< under the weights that drew it, by the trainer
  torch::Tensor advantages;
  torch::Tensor weight;               ///< of what trainer and sampler see differently: min(π_old / π_sampler, cap)
  torch::Tensor old_values, returns;  ///< undefined without a value head
  double mismatch = 0.0;              ///< mean |log π_old − log π_sampler|, nats
  double truncated = 0.0;             ///< share of tokens whose weight is at the cap
};

/// What a model says of one example's paths.
struct ScoredExample {
  const TrainingExample* example;
  std::vector<torch::Tensor> logprobs = {};     ///< per path: [learned]
  std::vector<torch::Tensor> reference = {};    ///< per path; empty unless the task needs it
  torch::Tensor rewards = {};                   ///< [paths]; undefined unless the task reads rewards
  std::vector<torch::Tensor> entropy = {};      ///< per path: [learned]; of rollouts, if the policy gives it
  std::vector<torch::Tensor> values = {};       ///< per path: [learned]; with a value head
  std::span<const Experience> experience = {};  ///< per path; of rollouts
  double level = 0.0;                           ///< of the step that the example is in: Task::level_path
};

/// What a task makes of all rollouts before the first update.
struct Rollouts {
  std::vector<std::vector<Experience>> experience;  ///< per example and path
  double beta = 0.0;                                ///< weight of the KL to the reference that was used
  double next_beta = 0.0;                           ///< for the rollouts that the next job learns from
};

/// Named figures of examples, to be averaged over a step with `weight`.
struct Figures {
  std::map<std::string, double> sums;
  double weight = 0.0;

  void add(const Figures& other);
  double mean(const std::string& name) const { return sums.at(name) / weight; }
};

struct TaskLoss {
  torch::Tensor sum;                 ///< of the units' losses; the step divides by their number
  Figures figures;                   ///< "accuracy", "margin", "reward_chosen", …
  std::vector<double> margins = {};  ///< of pairs: reward of the better answer minus that of the other, per example
};

/// One paradigm: how the log-probabilities of some examples become a loss.
class Task {
 public:
  virtual ~Task() = default;
  virtual bool needs_reference() const { return false; }
  /// Rewards are read instead of log-probabilities.
  virtual bool reads_rewards() const { return false; }
  /// Examples are answers that the policy drew: all are scored before the first update, for `roll_out`.
  virtual bool learns_from_rollouts() const { return false; }
  /// A value head is read and learned.
  virtual bool reads_values() const { return false; }
  /// `beta`: what the job before this one left, if there was one; for those that adapt it.
  virtual Result<Rollouts> roll_out(std::span<const ScoredExample> before, std::optional<double> beta) const;
  /// Which path of every example tells the level that losses are taken from: the mean of its Δ (Σ log-probabilities
  /// minus the reference's) over all examples of a step, without dropout and without gradient. It is computed before
  /// the step's passes, so that no loss depends on what goes through the model together. Nothing: examples stand for
  /// themselves.
  virtual std::optional<std::size_t> level_path() const { return std::nullopt; }
  /// What a step's loss is a mean over (questions, tokens, pairs): how many an example holds.
  virtual double units(const TrainingExample& example) const = 0;
  virtual Result<TaskLoss> loss(std::span<const ScoredExample> examples) const = 0;
  /// Whether an example is of the shape that this task learns from; kUsage names the example.
  virtual Result<void> check(const TrainingExample& example) const = 0;
};

/// The values of an example's paths, in f64: numbers that are only nearly equal stay different.
torch::Tensor scores_of(const TrainingExample& example, torch::Device device);
/// kUsage, naming the example, unless a ranking has the best answer first and one at least that is worse.
Result<void> check_ranking(const TrainingExample& example);

/// The task of an operation under its settings. One file per paradigm makes its own.
Result<std::unique_ptr<Task>> make_task(std::string_view operation, const Settings& settings);

std::unique_ptr<Task> choice_task(const Settings& settings);
std::unique_ptr<Task> supervised_task();
std::unique_ptr<Task> dpo_task(const Settings& settings);
std::unique_ptr<Task> reference_free_task(std::string_view operation, const Settings& settings);
std::unique_ptr<Task> kto_task(const Settings& settings);
std::unique_ptr<Task> ranking_task();
std::unique_ptr<Task> reward_task(const Settings& settings);
std::unique_ptr<Task> policy_gradient_task(std::string_view operation, const Settings& settings);

}  // namespace valence::train
