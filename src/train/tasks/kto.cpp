// KTO: answers that are desirable or not, one by one. Path 0 is the answer, path 1 (group 1) another record's answer to
// the same prompt, which only sets the reference point.
#include "objectives/preference.h"
#include "task.h"

namespace valence::train {
namespace {

class KtoTask final : public Task {
 public:
  explicit KtoTask(const Settings& settings)
      : options_{settings.number("beta"), settings.number("desirable"), settings.number("undesirable")} {}

  bool needs_reference() const override { return true; }
  bool couples() const override { return true; }
  double units(const TrainingExample&) const override { return 1.0; }

  Result<void> check(const TrainingExample& example) const override {
    const auto& paths = example.paths;
    if (paths.size() == 2 && paths[0].group == 0 && paths[1].group == 1 &&
        (paths[0].value == 0.0 || paths[0].value == 1.0))
      return {};
    return fail(ErrorCode::kUsage,
                "{}: should hold an answer with label 0 or 1 and, in group 1, another record's answer to its prompt",
                example.id);
  }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    std::vector<torch::Tensor> own, mismatched;
    std::vector<bool> desirable;
    for (const auto& scored : examples) {
      own.push_back(scored.logprobs[0].sum() - scored.reference[0].sum());
      mismatched.push_back((scored.logprobs[1].detach() - scored.reference[1]).sum());
      desirable.push_back(scored.example->paths[0].value == 1.0);
    }
    const auto ratios = torch::stack(own);
    const auto labels = labels_of(desirable);
    const auto reference_point = kto_reference_point(torch::stack(mismatched));
    const auto loss = kto_loss(ratios, labels, reference_point, options_);
    return TaskLoss{loss.sum(), look(ratios.detach().to(torch::kDouble), labels, reference_point)};
  }

 private:
  static torch::Tensor labels_of(const std::vector<bool>& desirable) {
    auto labels = torch::empty({static_cast<std::int64_t>(desirable.size())}, torch::kBool);
    for (std::size_t i = 0; i < desirable.size(); ++i) labels[static_cast<std::int64_t>(i)] = desirable[i];
    return labels;
  }

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
