#include "task.h"

#include <algorithm>
#include <functional>

#include "valence/train/operations.h"

namespace valence::train {

void Figures::add(const Figures& other) {
  for (const auto& [name, sum] : other.sums) sums[name] += sum;
  weight += other.weight;
}

Result<Rollouts> Task::roll_out(std::span<const ScoredExample>, std::optional<double>) const {
  return fail(ErrorCode::kUnsupported, "this task does not learn from rollouts");
}

torch::Tensor scores_of(const TrainingExample& example, torch::Device device) {
  std::vector<double> scores;
  for (const auto& path : example.paths) scores.push_back(path.value);
  return torch::tensor(scores, torch::kDouble).to(device);
}

Result<void> check_ranking(const TrainingExample& example) {
  const auto& paths = example.paths;
  if (!std::ranges::is_sorted(paths, std::greater<>(), &AnswerPath::value))
    return fail(ErrorCode::kUsage, "{}: answers should come best first", example.id);
  if (paths.front().value > paths.back().value) return {};
  return fail(ErrorCode::kUsage, "{}: its {} answers have the same score, so that none is better; leave the record out",
              example.id, paths.size());
}

Result<std::unique_ptr<Task>> make_task(std::string_view operation, const Settings& settings) {
  VALENCE_TRY(const auto* known, find_operation(operation));
  if (known->id == "choice") return choice_task(settings);
  if (known->id == "sft") return supervised_task();
  if (known->id == "dpo") return dpo_task(settings);
  if (known->id == "kto") return kto_task(settings);
  if (known->id == "rrhf") return ranking_task();
  if (known->id == "reward") return reward_task(settings);
  if (known->data.front() == RecordKind::kRollout) return policy_gradient_task(operation, settings);
  return reference_free_task(operation, settings);
}

}  // namespace valence::train
