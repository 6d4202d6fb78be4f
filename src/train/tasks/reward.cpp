// Reward models: the better answer gets the larger number (Bradley–Terry of two, Plackett–Luce of more).
#include "objectives/reward_model.h"
#include "task.h"

namespace valence::train {
namespace {

class RewardTask final : public Task {
 public:
  explicit RewardTask(const Settings& settings)
      : margin_(settings.number("margin")), options_{settings.number("centring")} {}

  bool reads_rewards() const override { return true; }
  double units(const TrainingExample&) const override { return 1.0; }

  Result<void> check(const TrainingExample& example) const override {
    if (example.paths.size() >= 2) return {};
    return fail(ErrorCode::kUsage, "{}: a comparison needs at least 2 answers, the best first; it has {}", example.id,
                example.paths.size());
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> losses;
    Figures figures;
    for (const auto& scored : examples) {
      losses.push_back(loss_of(scored.rewards));
      look(scored.rewards.detach().to(torch::kDouble), figures);
    }
    return TaskLoss{torch::stack(losses).sum(), std::move(figures)};
  }

 private:
  torch::Tensor loss_of(const torch::Tensor& rewards) const {
    if (rewards.numel() > 2) return plackett_luce_loss(rewards);
    return bradley_terry_loss(rewards[0], rewards[1], torch::full({}, margin_, rewards.options()), options_);
  }

  static void look(const torch::Tensor& rewards, Figures& figures) {
    const double best = rewards[0].item<double>(), worst = rewards[-1].item<double>();
    figures.sums["accuracy"] += rewards.argmax().item<std::int64_t>() == 0 && best > worst ? 1.0 : 0.0;
    figures.sums["reward_chosen"] += best;
    figures.sums["reward_rejected"] += worst;
    figures.sums["margin"] += best - worst;
    figures.weight += 1.0;
  }

  double margin_;
  RewardModelOptions options_;
};

}  // namespace

std::unique_ptr<Task> reward_task(const Settings& settings) { return std::make_unique<RewardTask>(settings); }

}  // namespace valence::train
