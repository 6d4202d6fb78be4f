#include "task.h"

#include "valence/train/operations.h"

namespace valence::train {

void Figures::add(const Figures& other) {
  for (const auto& [name, sum] : other.sums) sums[name] += sum;
  weight += other.weight;
}

Result<Rollouts> Task::roll_out(std::span<const ScoredExample>, std::optional<double>) const {
  return fail(ErrorCode::kUnsupported, "this task does not learn from rollouts");
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
