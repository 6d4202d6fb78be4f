#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "passes.h"
#include "policy.h"
#include "processes.h"
#include "schedule.h"
#include "task.h"
#include "valence/base/digest.h"
#include "valence/base/progress.h"
#include "valence/store/training.h"

namespace valence::train {

enum class Optimiser { kAdamW, kSgd };

/// How the loop runs; one field per setting that all operations share.
struct TrainerOptions {
  Optimiser optimiser = Optimiser::kAdamW;
  double learning_rate = 2e-4;
  Schedule schedule = Schedule::kConstant;
  double warmup = 0.0;  ///< share of the steps
  double weight_decay = 0.0;
  double max_gradient_norm = 1.0;  ///< 0 = never clipped
  double epochs = 1.0;
  std::size_t steps = 0;           ///< instead of epochs; 0 = by epochs
  std::size_t batch = 8;           ///< examples of a step, of all processes together
  std::size_t pass_tokens = 2048;  ///< most tokens of one forward pass (an example that is longer goes alone)
  std::size_t checkpoint_every = 25;
  double most_kl = 0.0;  ///< nats per learned token; 0 = no guard
  std::uint64_t seed = 0;
};
TrainerOptions trainer_options(const Settings& settings, std::uint64_t seed);

/// Whether the program should be started anew, and how: `start` returns only with an error, which ends the run.
struct StartAnew {
  std::function<bool()> needed = {};  ///< empty = never
  std::function<Result<void>()> start = {};
};

struct TrainerContext {
  std::filesystem::path output = {};  ///< folder of the adapter and the checkpoint
  Digest job = {};
  std::filesystem::path start = {};  ///< checkpoint of an earlier job to go on from; empty = from the weights
  std::function<Result<void>(const TrainingStep&)> record = {};  ///< takes a row per step; may be empty
  Progress* progress = nullptr;
  std::stop_token stop = {};
  Processes* processes = nullptr;  ///< that train together; null = this one alone
  /// Asked after every step but the last, unless a stop is requested; what is done is saved first.
  StartAnew anew = {};
};

struct TrainerReport {
  std::filesystem::path adapter;
  std::size_t steps = 0;         ///< all, those of earlier sittings included
  std::size_t resumed_from = 0;  ///< 0 = from the start
  std::size_t tokens = 0;        ///< computed in this sitting, shared prefixes once
  double seconds = 0.0;
};

/// Mean loss and figures over examples, without gradient. An example that is not of the task's shape is kUsage.
struct Evaluation {
  double loss = 0.0;
  Figures figures;
  std::vector<double> margins;  ///< per example, of tasks on pairs; else empty
};
struct EvaluationContext {
  std::size_t pass_tokens = 2048;  ///< most tokens of one forward pass
  /// Where the examples' log-probabilities under the reference are kept; what is there is not computed again, since no
  /// training changes it. Null = for this call only.
  Reference* reference = nullptr;
  Progress* progress = nullptr;
  std::stop_token stop = {};
  Processes* processes = nullptr;  ///< that share the examples; null = this one alone
  /// Asked after every pass, unless a stop is requested; the examples are then looked at from the first again.
  StartAnew anew = {};
  KeptAt kept = {};  ///< where the reference is kept for a run that goes on
};
Result<Evaluation> evaluate(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                            const EvaluationContext& context = {});

/// Trains until the steps are done and saves the adapter. A checkpoint of the same job in `context.output` is gone on
/// with: the result is bit-identical to that of a run that never stopped. From `context.start` come parameters,
/// optimiser, step count and the weight of the KL. Rollouts are scored once more under the weights that the job starts
/// from, also when it is gone on with.
///
/// What is saved every `checkpoint_every` steps is the state before an update, after the loss and drift that it gives
/// on that step's examples have passed the guard. Of what is saved at the end, on a stop or to start anew, no loss has
/// been computed: only that all parameters are numbers is checked.
///
/// Several processes share each step's examples, add up their gradients and so take the steps that one would take, but
/// for the order of sums and for dropout, whose masks differ. The first one reads and writes `context.output`; all stop
/// together when one is asked to.
///
/// Errors say what is kept: kModel when a loss, gradient or parameter is no number or the drift exceeds `most_kl` (the
/// adapter of the last checkpoint stays), kStopped on request, kDiskFull, kMismatch for a checkpoint of another job or
/// number of processes, kNetwork when another process is lost, kUnsupported for rollouts on several.
Result<TrainerReport> train(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                            const TrainerOptions& options, const TrainerContext& context);

}  // namespace valence::train
