#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <stop_token>
#include <vector>

#include "policy.h"
#include "processes.h"
#include "task.h"
#include "valence/base/digest.h"
#include "valence/base/progress.h"

namespace valence::train {

/// Examples that go through the model together.
struct ExamplePass {
  std::vector<std::size_t> examples;  ///< indices
  std::size_t tokens = 0;             ///< as counted one by one; what they share with each other is computed once less
};

/// Tokens of each example by itself.
std::vector<std::size_t> costs_of(const Policy& policy, std::span<const TrainingExample> examples);

/// Cuts examples into passes that fit the budget, in their order; one that is longer goes alone.
std::vector<ExamplePass> passes_of(std::span<const std::size_t> examples, std::span<const std::size_t> costs,
                                   std::size_t budget);

/// What is dealt to processes: single examples, or passes as one process would cut them.
enum class Dealt { kExamples, kPasses };

/// The passes of one process of several. Together they hold every example once, each with about as many tokens.
std::vector<ExamplePass> own_passes(std::span<const std::size_t> examples, std::span<const std::size_t> costs,
                                    std::size_t budget, Dealt dealt, const Processes& processes);

/// Log-probabilities of every example's paths under the reference, each computed by one of the processes; empty where
/// nothing asks for them.
using Reference = std::vector<std::vector<torch::Tensor>>;
/// Where they are kept, so that a run which goes on does not compute them again; nowhere without a file. What lies there
/// under another key, or of another size, or damaged, is computed anew. Processes that train together keep nothing.
struct KeptAt {
  std::filesystem::path file = {};
  Digest key = {};  ///< of weights, examples and settings
};
Result<Reference> reference_of(Policy& policy, std::span<const TrainingExample> examples,
                               std::span<const std::size_t> costs, std::size_t budget, Processes& processes,
                               Progress* progress, const std::stop_token& stop, const KeptAt& kept = {});

/// The level that a step's losses are taken from (Task::level_path), over the passes of all processes: the same bits
/// everywhere; 0 for tasks that have none. When `stop` is requested it is no number, and what follows must stop too.
Result<double> level_of(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                        std::span<const ExamplePass> passes, const Reference& reference, Processes& processes,
                        const std::stop_token& stop = {});

/// What is settled about every example's paths; empty unless the task learns from rollouts.
using Experiences = std::vector<std::vector<Experience>>;

/// What the policy says of a pass's examples: log-probabilities (of rollouts with entropies and values), or rewards
/// where the task reads those. `level`: of the step (level_of).
Result<std::vector<ScoredExample>> score(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                                         const ExamplePass& pass, const Reference& reference, double level = 0.0,
                                         const Experiences& experiences = {});

/// The same of all examples, without gradient.
Result<std::vector<ScoredExample>> score_all(Policy& policy, const Task& task,
                                             std::span<const TrainingExample> examples,
                                             std::span<const std::size_t> costs, std::size_t budget,
                                             const Reference& reference, const std::stop_token& stop);

/// What a step's loss is a mean over.
double units_of(const Task& task, std::span<const TrainingExample> examples, std::span<const std::size_t> chosen);

std::vector<std::size_t> all_of(std::size_t count);

}  // namespace valence::train
