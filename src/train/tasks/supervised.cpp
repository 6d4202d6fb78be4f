// Supervised fine-tuning: every learned token counts the same, whatever conversation it is in.
#include "objectives/supervised.h"

#include "task.h"

namespace valence::train {
namespace {

class SupervisedTask final : public Task {
 public:
  double units(const TrainingExample& example) const override {
    std::size_t tokens = 0;
    for (const auto& path : example.paths) tokens += path.learned();
    return static_cast<double>(tokens);
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> logprobs;
    for (const auto& scored : examples) logprobs.insert(logprobs.end(), scored.logprobs.begin(), scored.logprobs.end());
    const auto tokens = torch::cat(logprobs);
    Figures figures;
    figures.weight = static_cast<double>(logprobs.size());  // answers, however they are spread over passes
    figures.sums["length"] = static_cast<double>(tokens.numel());
    return TaskLoss{token_nll_loss(tokens) * tokens.numel(), std::move(figures)};
  }

  Result<void> check(const TrainingExample&) const override { return {}; }
};

}  // namespace

std::unique_ptr<Task> supervised_task() { return std::make_unique<SupervisedTask>(); }

}  // namespace valence::train
