// Pairs of answers: the DPO family with a frozen reference, and the losses that need none.
#include "objectives/preference.h"

#include "task.h"
#include "tensor_values.h"

namespace valence::train {
namespace {

constexpr std::size_t kChosen = 0, kRejected = 1;

Result<void> check_pair(const TrainingExample& example) {
  if (example.paths.size() == 2) return {};
  return fail(ErrorCode::kUsage, "{}: a pair has 2 answers, the better one first; it has {}", example.id,
              example.paths.size());
}

/// Sums over the answer's tokens, [pairs].
Pair sums_of(std::span<const ScoredExample> examples) {
  std::vector<torch::Tensor> chosen, rejected;
  for (const auto& scored : examples) {
    chosen.push_back(scored.logprobs[kChosen].sum());
    rejected.push_back(scored.logprobs[kRejected].sum());
  }
  return {torch::stack(chosen), torch::stack(rejected)};
}

Pair reference_sums_of(std::span<const ScoredExample> examples) {
  std::vector<torch::Tensor> chosen, rejected;
  for (const auto& scored : examples) {
    chosen.push_back(scored.reference[kChosen].sum());
    rejected.push_back(scored.reference[kRejected].sum());
  }
  return {torch::stack(chosen), torch::stack(rejected)};
}

Pair lengths_of(std::span<const ScoredExample> examples, const torch::Tensor& like) {
  std::vector<double> chosen, rejected;
  for (const auto& scored : examples) {
    chosen.push_back(static_cast<double>(scored.example->paths[kChosen].learned()));
    rejected.push_back(static_cast<double>(scored.example->paths[kRejected].learned()));
  }
  return {tensor_like(chosen, like), tensor_like(rejected, like)};
}

double total(const torch::Tensor& tensor) { return tensor.detach().to(torch::kDouble).sum().item<double>(); }

/// What users of trainers look at: are the better answers' rewards higher, by how much, and do both likelihoods fall?
Figures figures_of(const Pair& rewards, const Pair& logprobs, const Pair& lengths) {
  Figures figures;
  figures.sums["reward_chosen"] = total(rewards.chosen);
  figures.sums["reward_rejected"] = total(rewards.rejected);
  figures.sums["margin"] = total(rewards.chosen - rewards.rejected);
  figures.sums["accuracy"] = total((rewards.chosen > rewards.rejected).to(torch::kDouble));
  figures.sums["logprob_chosen"] = total(logprobs.chosen);
  figures.sums["logprob_rejected"] = total(logprobs.rejected);
  figures.sums["length"] = 0.5 * (total(lengths.chosen) + total(lengths.rejected));
  figures.weight = static_cast<double>(logprobs.chosen.numel());
  return figures;
}

std::vector<double> margins_of(const Pair& rewards) {
  const auto margins = (rewards.chosen - rewards.rejected).detach().to(torch::kDouble).contiguous();
  const auto* first = margins.data_ptr<double>();
  return {first, first + margins.numel()};
}

PairLoss pair_loss_from(std::string_view name) {
  if (name == "robust") return PairLoss::kRobust;
  if (name == "hinge") return PairLoss::kHinge;
  if (name == "ipo") return PairLoss::kIpo;
  return PairLoss::kSigmoid;
}

Divergence divergence_from(std::string_view name) {
  if (name == "forward_kl") return Divergence::kForwardKl;
  if (name == "jensen_shannon") return Divergence::kJensenShannon;
  if (name == "alpha") return Divergence::kAlpha;
  return Divergence::kReverseKl;
}

class DpoTask final : public Task {
 public:
  explicit DpoTask(const Settings& settings)
      : options_{pair_loss_from(settings.text("loss")), settings.number("beta"), settings.number("smoothing"),
                 divergence_from(settings.text("divergence")), settings.number("divergence_alpha")},
        token_mean_(settings.flag("token_mean")),
        nll_weight_(settings.number("nll_weight")) {}

  bool needs_reference() const override { return true; }
  double units(const TrainingExample&) const override { return 1.0; }
  Result<void> check(const TrainingExample& example) const override { return check_pair(example); }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    const auto logprobs = sums_of(examples);
    const auto reference = reference_sums_of(examples);
    const auto lengths = lengths_of(examples, logprobs.chosen);
    Pair ratios{logprobs.chosen - reference.chosen, logprobs.rejected - reference.rejected};
    const Pair rewards{implicit_reward(ratios.chosen, options_.beta), implicit_reward(ratios.rejected, options_.beta)};
    if (token_mean_) ratios = {ratios.chosen / lengths.chosen, ratios.rejected / lengths.rejected};
    auto loss = dpo_loss(ratios, options_);
    if (nll_weight_ > 0) loss = loss - nll_weight_ * logprobs.chosen / lengths.chosen;
    return TaskLoss{loss.sum(), figures_of(rewards, logprobs, lengths), margins_of(rewards)};
  }

 private:
  DpoOptions options_;
  bool token_mean_;
  double nll_weight_;
};

/// SimPO, CPO, ORPO, SLiC: the reward is what their margin is made of.
class ReferenceFreeTask final : public Task {
 public:
  ReferenceFreeTask(std::string_view operation, const Settings& settings)
      : operation_(operation), settings_(settings) {}

  double units(const TrainingExample&) const override { return 1.0; }
  Result<void> check(const TrainingExample& example) const override { return check_pair(example); }

  Result<TaskLoss> loss(std::span<const ScoredExample> examples) const override {
    const auto logprobs = sums_of(examples);
    const auto lengths = lengths_of(examples, logprobs.chosen);
    const auto rewards = rewards_of(logprobs, lengths);
    return TaskLoss{loss_of(logprobs, lengths).sum(), figures_of(rewards, logprobs, lengths), margins_of(rewards)};
  }

 private:
  torch::Tensor loss_of(const Pair& logprobs, const Pair& lengths) const {
    if (operation_ == "simpo")
      return simpo_loss(logprobs, lengths, {settings_.number("beta"), settings_.number("gamma")});
    if (operation_ == "orpo") return orpo_loss(logprobs, lengths, settings_.number("lambda"));
    if (operation_ == "slic") return slic_loss(logprobs, settings_.number("margin"));
    return cpo_loss(logprobs, settings_.number("beta"), settings_.number("nll_weight"));
  }

  Pair rewards_of(const Pair& logprobs, const Pair& lengths) const {
    if (operation_ == "slic") return logprobs;
    if (operation_ == "cpo")
      return {settings_.number("beta") * logprobs.chosen, settings_.number("beta") * logprobs.rejected};
    const Pair means{logprobs.chosen / lengths.chosen, logprobs.rejected / lengths.rejected};
    if (operation_ == "orpo") return {log_odds(means.chosen), log_odds(means.rejected)};
    return {settings_.number("beta") * means.chosen, settings_.number("beta") * means.rejected};
  }

  std::string operation_;
  Settings settings_;
};

}  // namespace

std::unique_ptr<Task> dpo_task(const Settings& settings) { return std::make_unique<DpoTask>(settings); }

std::unique_ptr<Task> reference_free_task(std::string_view operation, const Settings& settings) {
  return std::make_unique<ReferenceFreeTask>(operation, settings);
}

}  // namespace valence::train
