// RRHF: several answers to a prompt, best first.
#include "objectives/preference.h"
#include "task.h"

namespace valence::train {
namespace {

class RankingTask final : public Task {
 public:
  double units(const TrainingExample&) const override { return 1.0; }

  Result<void> check(const TrainingExample& example) const override {
    const auto& paths = example.paths;
    for (std::size_t i = 1; i < paths.size(); ++i) {
      if (paths[i].value > paths[i - 1].value)
        return fail(ErrorCode::kUsage, "{}: answers should come best first", example.id);
    }
    if (paths.size() >= 2) return {};
    return fail(ErrorCode::kUsage, "{}: a ranking needs at least 2 answers, got {}", example.id, paths.size());
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> losses;
    Figures figures;
    for (const auto& scored : examples) {
      std::vector<torch::Tensor> means;
      for (const auto& logprobs : scored.logprobs) means.push_back(logprobs.mean());
      const auto scores = torch::stack(means);
      losses.push_back(rrhf_loss(scores, -scored.logprobs.front().sum()));
      figures.sums["accuracy"] += scores.argmax().item<std::int64_t>() == 0 ? 1.0 : 0.0;
      figures.weight += 1.0;
    }
    return TaskLoss{torch::stack(losses).sum(), std::move(figures)};
  }
};

}  // namespace

std::unique_ptr<Task> ranking_task() { return std::make_unique<RankingTask>(); }

}  // namespace valence::train
