// RRHF: several answers to a prompt, best first.
#include "objectives/preference.h"
#include "task.h"

namespace valence::train {
namespace {

/// Of the best answer; of several that are equally good their mean.
torch::Tensor best_nll(const ScoredExample& scored) {
  const auto& paths = scored.example->paths;
  std::vector<torch::Tensor> best;
  for (std::size_t i = 0; i < paths.size() && paths[i].value == paths.front().value; ++i)
    best.push_back(-scored.logprobs[i].sum());
  return torch::stack(best).mean();
}

class RankingTask final : public Task {
 public:
  double units(const TrainingExample&) const override { return 1.0; }

  Result<void> check(const TrainingExample& example) const override {
    if (example.paths.size() >= 2) return check_ranking(example);
    return fail(ErrorCode::kUsage, "{}: a ranking needs at least 2 answers, got {}", example.id, example.paths.size());
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> losses;
    Figures figures;
    for (const auto& scored : examples) {
      std::vector<torch::Tensor> means;
      for (const auto& logprobs : scored.logprobs) means.push_back(logprobs.mean());
      const auto likely = torch::stack(means);
      losses.push_back(rrhf_loss(likely, best_nll(scored), scores_of(*scored.example, likely.device())));
      const auto& paths = scored.example->paths;
      const auto first = static_cast<std::size_t>(likely.argmax().item<std::int64_t>());
      figures.sums["accuracy"] += paths[first].value == paths.front().value ? 1.0 : 0.0;
      figures.weight += 1.0;
    }
    return TaskLoss{torch::stack(losses).sum(), std::move(figures)};
  }
};

}  // namespace

std::unique_ptr<Task> ranking_task() { return std::make_unique<RankingTask>(); }

}  // namespace valence::train
