#include "passes.h"

namespace valence::train {
namespace {

using Paths = std::vector<const AnswerPath*>;

Paths paths_of(const TrainingExample& example) {
  Paths paths;
  for (const auto& path : example.paths) paths.push_back(&path);
  return paths;
}

/// Cuts the flat log-probabilities of an example's paths into one tensor per path.
std::vector<torch::Tensor> split(const torch::Tensor& flat, const TrainingExample& example, std::int64_t& at) {
  std::vector<torch::Tensor> parts;
  for (const auto& path : example.paths) {
    const auto count = static_cast<std::int64_t>(path.learned());
    parts.push_back(flat.narrow(0, at, count));
    at += count;
  }
  return parts;
}

Paths paths_of(std::span<const TrainingExample> examples, const ExamplePass& pass) {
  Paths paths;
  for (const auto i : pass.examples) {
    for (const auto& path : examples[i].paths) paths.push_back(&path);
  }
  return paths;
}

Result<std::vector<ScoredExample>> rate(Policy& policy, std::span<const TrainingExample> examples,
                                        const ExamplePass& pass) {
  VALENCE_TRY(const auto flat, policy.rewards(paths_of(examples, pass)));
  std::vector<ScoredExample> rated;
  std::int64_t at = 0;
  for (const auto i : pass.examples) {
    const auto count = static_cast<std::int64_t>(examples[i].paths.size());
    rated.push_back({&examples[i], {}, {}, flat.narrow(0, at, count)});
    at += count;
  }
  return rated;
}

}  // namespace

std::vector<ExamplePass> passes_of(std::span<const std::size_t> examples, std::span<const std::size_t> costs,
                                   std::size_t budget) {
  std::vector<ExamplePass> passes;
  for (const auto example : examples) {
    if (passes.empty() || passes.back().tokens + costs[example] > budget) passes.emplace_back();
    passes.back().examples.push_back(example);
    passes.back().tokens += costs[example];
  }
  return passes;
}

std::vector<std::size_t> costs_of(const Policy& policy, std::span<const TrainingExample> examples) {
  std::vector<std::size_t> costs;
  for (const auto& example : examples) costs.push_back(policy.cost(paths_of(example)));
  return costs;
}

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

Result<Reference> reference_of(Policy& policy, std::span<const TrainingExample> examples,
                               std::span<const std::size_t> costs, std::size_t budget, Progress* progress,
                               const std::stop_token& stop) {
  const auto passes = passes_of(all_of(examples.size()), costs, budget);
  Reference reference;
  if (progress != nullptr) progress->start("reference log-probabilities", examples.size(), "examples");
  for (const auto& pass : passes) {
    if (stop.stop_requested())
      return fail(ErrorCode::kStopped, "stopped before the first step; run the same command to start anew");
    VALENCE_TRY(const auto flat, policy.reference_logprobs(paths_of(examples, pass)));
    std::int64_t at = 0;
    for (const auto i : pass.examples) reference.push_back(split(flat, examples[i], at));
    if (progress != nullptr) progress->advance(pass.examples.size());
  }
  if (progress != nullptr) progress->finish();
  return reference;
}

Result<std::vector<ScoredExample>> score(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                                         const ExamplePass& pass, const Reference& reference) {
  if (task.reads_rewards()) return rate(policy, examples, pass);
  VALENCE_TRY(const auto flat, policy.logprobs(paths_of(examples, pass)));
  std::vector<ScoredExample> scored;
  std::int64_t at = 0;
  for (const auto i : pass.examples) {
    auto parts = split(flat, examples[i], at);
    scored.push_back(
        {&examples[i], std::move(parts), reference.empty() ? std::vector<torch::Tensor>{} : reference[i], {}});
  }
  return scored;
}

double units_of(const Task& task, std::span<const TrainingExample> examples, std::span<const std::size_t> chosen) {
  double units = 0.0;
  for (const auto i : chosen) units += task.units(examples[i]);
  return units;
}

}  // namespace valence::train
