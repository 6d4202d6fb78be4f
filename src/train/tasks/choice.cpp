// Choice alignment: answers towards a target distribution, all layouts of a question together.
#include <algorithm>
#include <cmath>
#include <map>

#include "objectives/supervised.h"
#include "task.h"
#include "tensor_values.h"

namespace valence::train {
namespace {

/// Paths of one question in one layout.
using Layouts = std::map<std::size_t, std::vector<std::size_t>>;

Layouts layouts_of(const TrainingExample& example) {
  Layouts layouts;
  for (std::size_t i = 0; i < example.paths.size(); ++i) layouts[example.paths[i].group].push_back(i);
  return layouts;
}

struct Question {
  torch::Tensor logprobs, target;  ///< per option
};

Question question_of(const ScoredExample& scored, const std::vector<std::size_t>& paths) {
  std::vector<torch::Tensor> logprobs;
  std::vector<double> target;
  for (const auto path : paths) {
    logprobs.push_back(scored.logprobs[path].sum());
    target.push_back(scored.example->paths[path].value);
  }
  const auto stacked = torch::stack(logprobs);
  return {stacked, tensor_like(target, stacked)};
}

std::size_t top(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

class ChoiceTask final : public Task {
 public:
  explicit ChoiceTask(bool among_options) : among_options_(among_options) {}

  double units(const TrainingExample& example) const override {
    return static_cast<double>(layouts_of(example).size());
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> losses;
    Figures figures;
    for (const auto& scored : examples) {
      for (const auto& [layout, paths] : layouts_of(*scored.example)) {
        const auto question = question_of(scored, paths);
        losses.push_back(choice_loss(question.logprobs, question.target, among_options_));
        look(question, figures);
      }
    }
    return TaskLoss{torch::stack(losses).sum(), std::move(figures)};
  }

  Result<void> check(const TrainingExample& example) const override {
    for (const auto& [layout, paths] : layouts_of(example)) {
      double sum = 0.0;
      for (const auto path : paths) sum += example.paths[path].value;
      if (paths.size() >= 2 && std::abs(sum - 1.0) < 1e-4) continue;
      return fail(
          ErrorCode::kUsage,
          "{}: layout {} should have at least 2 options whose probabilities sum to 1; it has {} with the sum {}",
          example.id, layout + 1, paths.size(), sum);
    }
    return {};
  }

 private:
  static void look(const Question& question, Figures& figures) {
    const auto logprobs = doubles_of(question.logprobs);
    const auto target = doubles_of(question.target);
    double mass = 0.0;
    for (const double logprob : logprobs) mass += std::exp(logprob);
    figures.sums["accuracy"] += top(logprobs) == top(target) ? 1.0 : 0.0;
    figures.sums["captured_mass"] += mass;
    figures.sums["first_option"] += top(logprobs) == 0 ? 1.0 : 0.0;
    figures.weight += 1.0;
  }

  bool among_options_;
};

}  // namespace

std::unique_ptr<Task> choice_task(const Settings& settings) {
  return std::make_unique<ChoiceTask>(settings.flag("among_options"));
}

}  // namespace valence::train
