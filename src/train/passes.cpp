#include "passes.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "checkpoint.h"

namespace valence::train {
namespace {

using Paths = std::vector<const AnswerPath*>;

Paths paths_of(const TrainingExample& example) {
  Paths paths;
  for (const auto& path : example.paths) paths.push_back(&path);
  return paths;
}

/// Cuts numbers of learned tokens, those of this example's paths from `at` on, into one tensor per path; none of what
/// is undefined.
std::vector<torch::Tensor> split(const torch::Tensor& flat, const TrainingExample& example, std::int64_t at) {
  std::vector<torch::Tensor> parts;
  if (!flat.defined()) return parts;
  for (const auto& path : example.paths) {
    const auto count = static_cast<std::int64_t>(path.learned());
    parts.push_back(flat.narrow(0, at, count));
    at += count;
  }
  return parts;
}

double nats_of(const torch::Tensor& logprobs) { return logprobs.to(torch::kDouble).sum().item<double>(); }

std::int64_t learned_tokens(const TrainingExample& example) {
  std::int64_t tokens = 0;
  for (const auto& path : example.paths) tokens += static_cast<std::int64_t>(path.learned());
  return tokens;
}

/// Where each example's learned tokens begin among those of all; their number at the end.
std::vector<std::int64_t> first_learned(std::span<const TrainingExample> examples) {
  std::vector<std::int64_t> begins{0};
  for (const auto& example : examples) begins.push_back(begins.back() + learned_tokens(example));
  return begins;
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
    rated.push_back({.example = &examples[i], .rewards = flat.narrow(0, at, count)});
    at += count;
  }
  return rated;
}

Reference cut(const torch::Tensor& flat, std::span<const TrainingExample> examples, const std::vector<std::int64_t>& begins) {
  Reference reference;
  for (std::size_t i = 0; i < examples.size(); ++i) reference.push_back(split(flat, examples[i], begins[i]));
  return reference;
}

/// The tensor that was kept; nothing when there is none that fits.
std::optional<torch::Tensor> kept_tensor(const KeptAt& kept, std::int64_t size) {
  if (kept.file.empty()) return std::nullopt;
  auto checkpoint = read_checkpoint(kept.file);
  if (!checkpoint || checkpoint->job != kept.key || checkpoint->tensors.size() != 1) return std::nullopt;
  auto& tensor = checkpoint->tensors.front().second;
  if (tensor.dim() != 1 || tensor.size(0) != size) return std::nullopt;
  return std::move(tensor);
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

std::vector<ExamplePass> own_passes(std::span<const std::size_t> examples, std::span<const std::size_t> costs,
                                    std::size_t budget, Dealt dealt, const Processes& processes) {
  if (processes.alone()) return passes_of(examples, costs, budget);
  if (dealt == Dealt::kPasses) {
    const auto passes = passes_of(examples, costs, budget);
    std::vector<std::size_t> tokens;
    for (const auto& pass : passes) tokens.push_back(pass.tokens);
    std::vector<ExamplePass> own;
    for (const auto i : deal(tokens, processes.rank(), processes.count())) own.push_back(passes[i]);
    return own;
  }
  std::vector<std::size_t> tokens, own;
  for (const auto example : examples) tokens.push_back(costs[example]);
  for (const auto i : deal(tokens, processes.rank(), processes.count())) own.push_back(examples[i]);
  return passes_of(own, costs, budget);
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
                               std::span<const std::size_t> costs, std::size_t budget, Processes& processes,
                               Progress* progress, const std::stop_token& stop, const KeptAt& kept) {
  const auto all = all_of(examples.size());
  const auto begins = first_learned(examples);
  const bool keeps = processes.alone() && !kept.file.empty();
  if (const auto there = keeps ? kept_tensor(kept, begins.back()) : std::nullopt)
    return cut(there->to(policy.parameters().front().second.device()), examples, begins);
  auto flat = torch::zeros({begins.back()}, policy.parameters().front().second.options().requires_grad(false));
  if (progress != nullptr) progress->start("reference log-probabilities", examples.size(), "examples");
  for (const auto& pass : own_passes(all, costs, budget, Dealt::kPasses, processes)) {
    if (stop.stop_requested()) break;
    VALENCE_TRY(const auto values, policy.reference_logprobs(paths_of(examples, pass)));
    std::int64_t at = 0;
    for (const auto i : pass.examples) {
      const auto count = begins[i + 1] - begins[i];
      flat.narrow(0, begins[i], count).copy_(values.narrow(0, at, count));
      at += count;
    }
    if (progress != nullptr) progress->advance(pass.examples.size());
  }
  VALENCE_TRY(const bool stopped, processes.any(stop.stop_requested()));
  if (stopped) return fail(ErrorCode::kStopped, "stopped before the first step; run the same command to start anew");
  VALENCE_CHECK(processes.sum(flat));  // what others computed is 0 here
  if (progress != nullptr) progress->finish();
  if (keeps) VALENCE_CHECK(write_checkpoint(kept.file, {.job = kept.key, .tensors = {{"reference", flat}}, .optimiser = {}}));
  return cut(flat, examples, begins);
}

Result<double> level_of(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                        std::span<const ExamplePass> passes, const Reference& reference, Processes& processes,
                        const std::stop_token& stop) {
  const auto which = task.level_path();
  if (!which) return 0.0;
  const torch::NoGradGuard no_gradient;
  double sum = 0.0, count = 0.0;
  for (const auto& pass : passes) {
    if (stop.stop_requested()) break;
    Paths paths;
    for (const auto i : pass.examples) paths.push_back(&examples[i].paths[*which]);
    VALENCE_TRY(const auto logprobs, policy.logprobs(paths));
    sum += nats_of(logprobs);
    for (const auto i : pass.examples) sum -= nats_of(reference[i][*which]);
    count += static_cast<double>(pass.examples.size());
  }
  auto sums = torch::tensor(std::vector<double>{sum, count}, torch::kDouble);
  VALENCE_CHECK(processes.sum(sums));
  return sums[0].item<double>() / sums[1].item<double>();
}

Result<std::vector<ScoredExample>> score(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                                         const ExamplePass& pass, const Reference& reference, double level,
                                         const Experiences& experiences) {
  if (task.reads_rewards()) return rate(policy, examples, pass);
  VALENCE_TRY(const auto read, policy.read(paths_of(examples, pass), task.learns_from_rollouts()));
  std::vector<ScoredExample> scored;
  std::int64_t at = 0;
  for (const auto i : pass.examples) {
    ScoredExample one{.example = &examples[i], .logprobs = split(read.logprobs, examples[i], at)};
    if (!reference.empty()) one.reference = reference[i];
    one.entropy = split(read.entropy, examples[i], at);
    one.values = split(read.values, examples[i], at);
    one.level = level;
    if (!experiences.empty()) one.experience = experiences[i];
    scored.push_back(std::move(one));
    at += learned_tokens(examples[i]);
  }
  return scored;
}

Result<std::vector<ScoredExample>> score_all(Policy& policy, const Task& task,
                                             std::span<const TrainingExample> examples,
                                             std::span<const std::size_t> costs, std::size_t budget,
                                             const Reference& reference, const std::stop_token& stop) {
  const torch::NoGradGuard no_gradient;
  std::vector<ScoredExample> all;
  for (const auto& pass : passes_of(all_of(examples.size()), costs, budget)) {
    if (stop.stop_requested())
      return fail(ErrorCode::kStopped, "stopped before the first step; run the same command to start anew");
    VALENCE_TRY(auto scored, score(policy, task, examples, pass, reference));
    std::ranges::move(scored, std::back_inserter(all));
  }
  return all;
}

double units_of(const Task& task, std::span<const TrainingExample> examples, std::span<const std::size_t> chosen) {
  double units = 0.0;
  for (const auto i : chosen) units += task.units(examples[i]);
  return units;
}

}  // namespace valence::train
