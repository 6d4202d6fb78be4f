// KTO: answers that are desirable or not, one by one. Path 0 is the answer, path 1 (group 1) another prompt's answer
// put to the same prompt, which only sets the reference point of the step.
#include "objectives/preference.h"
#include "task.h"
#include "tensor_values.h"

namespace valence::train {
namespace {

constexpr std::size_t kAnswer = 0, kMismatched = 1;

class KtoTask final : public Task {
 public:
  explicit KtoTask(const Settings& settings)
      : options_{settings.number("beta"), settings.number("desirable"), settings.number("undesirable")} {}

  bool needs_reference() const override { return true; }
  std::optional<std::size_t> level_path() const override { return kMismatched; }
  double units(const TrainingExample&) const override { return 1.0; }

  Result<void> check(const TrainingExample& example) const override {
    const auto& paths = example.paths;
    if (paths.size() == 2 && paths[kAnswer].group == 0 && paths[kMismatched].group == 1 &&
        (paths[kAnswer].value == 0.0 || paths[kAnswer].value == 1.0))
      return {};
    return fail(
        ErrorCode::kUsage,
        "{}: should hold an answer with label 0 or 1 and, in group 1, another prompt's answer put to its prompt",
        example.id);
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> own;
    std::vector<double> desirable;
    for (const auto& scored : examples) {
      own.push_back(scored.logprobs[kAnswer].sum() - scored.reference[kAnswer].sum());
      desirable.push_back(scored.example->paths[kAnswer].value);
    }
    const auto ratios = torch::stack(own);
    const auto labels = tensor_like(desirable, ratios) == 1.0;
    const auto reference_point = kto_reference_point(tensor_like({examples.front().level}, ratios));
    const auto loss = kto_loss(ratios, labels, reference_point, options_);
    return TaskLoss{loss.sum(), look(ratios.detach().to(torch::kDouble), labels, reference_point)};
  }

 private:
  Figures look(const torch::Tensor& ratios, const torch::Tensor& labels, const torch::Tensor& reference_point) const {
    Figures figures;
    const auto above = ratios > reference_point.to(torch::kDouble);
    figures.sums["accuracy"] = (above == labels).to(torch::kDouble).sum().item<double>();
    figures.sums["margin"] = (options_.beta * torch::where(labels, ratios, -ratios)).sum().item<double>();
    figures.sums["reference_point"] = reference_point.item<double>() * static_cast<double>(ratios.numel());
    figures.weight = static_cast<double>(ratios.numel());
    return figures;
  }

  KtoOptions options_;
};

}  // namespace

std::unique_ptr<Task> kto_task(const Settings& settings) { return std::make_unique<KtoTask>(settings); }

}  // namespace valence::train
