// Reward models: the better answer gets the larger number. Of two answers the first is the better one (Bradley–Terry);
// of more their scores say which are better and which equally good (Plackett–Luce).
#include <algorithm>

#include "objectives/reward_model.h"
#include "task.h"
#include "tensor_values.h"

namespace valence::train {
namespace {

class RewardTask final : public Task {
 public:
  explicit RewardTask(const Settings& settings)
      : margin_(settings.number("margin")), options_{settings.number("centring")} {}

  bool reads_rewards() const override { return true; }
  double units(const TrainingExample&) const override { return 1.0; }

  Result<void> check(const TrainingExample& example) const override {
    const auto answers = example.paths.size();
    if (answers < 2) {
      return fail(ErrorCode::kUsage, "{}: a comparison needs at least 2 answers, the best first; it has {}", example.id,
                  answers);
    }
    if (answers == 2) return {};
    if (margin_ != 0.0) {
      return fail(
          ErrorCode::kUsage,
          "{}: margin = {}: of pairs, and this is a ranking of {} answers; leave margin at 0, or keep rankings in "
          "a file of their own",
          example.id, margin_, answers);
    }
    return check_ranking(example);
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> losses;
    Figures figures;
    for (const auto& scored : examples) {
      losses.push_back(loss_of(scored));
      look(scored, figures);
    }
    return TaskLoss{torch::stack(losses).sum(), std::move(figures)};
  }

 private:
  torch::Tensor loss_of(const ScoredExample& scored) const {
    const auto& rewards = scored.rewards;
    if (rewards.numel() > 2) return plackett_luce_loss(rewards, scores_of(*scored.example, rewards.device()), options_);
    return bradley_terry_loss(rewards[0], rewards[1], torch::full({}, margin_, rewards.options()), options_);
  }

  /// Whether the largest reward is that of a best answer; one reward for all is not.
  static bool is_right(const TrainingExample& example, const std::vector<double>& rewards) {
    const auto first = static_cast<std::size_t>(std::ranges::max_element(rewards) - rewards.begin());
    if (!(rewards[first] > rewards.back())) return false;
    return first == 0 || (rewards.size() > 2 && example.paths[first].value == example.paths.front().value);
  }

  static void look(const ScoredExample& scored, Figures& figures) {
    const auto rewards = doubles_of(scored.rewards);
    const double best = rewards.front(), worst = rewards.back();
    figures.sums["accuracy"] += is_right(*scored.example, rewards) ? 1.0 : 0.0;
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
