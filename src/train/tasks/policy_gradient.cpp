// GRPO, RLOO and PPO: answers that the policy drew itself, an example being one prompt's. Before the first update their
// advantages are settled; then steps raise what did better than expected, within a clip range around the policy that
// drew.
#include "objectives/policy_gradient.h"

#include <algorithm>
#include <cmath>

#include "objectives/advantages.h"
#include "task.h"
#include "tensor_values.h"

namespace valence::train {
namespace {

using Answers = std::span<const ScoredExample>;

/// What the loss of all three is made of.
struct UpdateRule {
  RatioLevel level = RatioLevel::kToken;
  Reduction reduction = Reduction::kTokenMean;
  ClipOptions clip = {};
  double kl_weight = 0.0;     ///< of k3 in the loss
  double value_weight = 0.0;  ///< of the value loss
  double value_clip = 0.0;
  std::int64_t longest = 1;  ///< tokens of the longest answer that could be drawn
};

/// What the rewards and the correction of the sampler are made of.
struct RolloutRule {
  double beta = 0.0;  ///< of this job; where it is adapted, what the job before left comes first
  bool adapts_beta = false;
  double missing_end_penalty = 0.0;
  double importance_cap = 0.0;  ///< 0 = weights of 1
};

/// A log-ratio per token, brought to the level at which ratios are taken.
torch::Tensor at_level(const torch::Tensor& log_ratio, RatioLevel level) {
  if (level == RatioLevel::kToken) return log_ratio;
  return (level == RatioLevel::kSequence ? log_ratio.sum() : log_ratio.mean()).expand_as(log_ratio);
}

/// Σ log π_old − log π_ref of an answer: k1, nats.
double drift_of(const ScoredExample& scored, std::size_t path) {
  return (scored.logprobs[path] - scored.reference[path]).to(torch::kDouble).sum().item<double>();
}

/// The rewards of a prompt's answers, those that did not end of themselves penalised.
std::vector<double> rewards_of(const TrainingExample& example, double missing_end_penalty) {
  std::vector<double> rewards;
  std::vector<bool> ended;
  for (const auto& path : example.paths) {
    rewards.push_back(path.value);
    ended.push_back(path.ended);
  }
  penalise_missing_end(rewards, ended, missing_end_penalty);
  return rewards;
}

/// Tensors of an example's answers, one after the other.
struct FlatAnswers {
  torch::Tensor answer, logprobs, reference, old, advantages, weight;
  torch::Tensor values, old_values, returns;  ///< undefined without a value head

  explicit FlatAnswers(const ScoredExample& scored) : logprobs(torch::cat(scored.logprobs)) {
    std::vector<std::int64_t> index;
    for (std::size_t i = 0; i < scored.logprobs.size(); ++i)
      index.insert(index.end(), static_cast<std::size_t>(scored.logprobs[i].numel()), static_cast<std::int64_t>(i));
    answer = torch::tensor(index, torch::dtype(torch::kLong).device(logprobs.device()));
    reference = torch::cat(scored.reference);
    old = joined(scored, &Experience::old_logprobs);
    advantages = joined(scored, &Experience::advantages);
    weight = joined(scored, &Experience::weight);
    if (!scored.experience.front().returns.defined()) return;
    values = torch::cat(scored.values);
    old_values = joined(scored, &Experience::old_values);
    returns = joined(scored, &Experience::returns);
  }

 private:
  static torch::Tensor joined(const ScoredExample& scored, torch::Tensor Experience::*field) {
    std::vector<torch::Tensor> parts;
    for (const auto& experience : scored.experience) parts.push_back(experience.*field);
    return torch::cat(parts);
  }
};

class PolicyGradientTask : public Task {
 public:
  PolicyGradientTask(const Settings& settings, const UpdateRule& update, bool adapts_beta = false)
      : update_(update),
        rule_{settings.number("beta"), adapts_beta, settings.number("missing_end_penalty"),
              settings.number("importance_cap")} {
    update_.clip = {settings.number("clip_low"), settings.number("clip_high")};
  }

  bool needs_reference() const override { return true; }
  bool learns_from_rollouts() const override { return true; }

  double units(const TrainingExample& example) const override {
    const auto answers = static_cast<double>(example.paths.size());
    if (update_.reduction == Reduction::kAnswerMean) return answers;
    if (update_.reduction == Reduction::kConstant) return answers * static_cast<double>(update_.longest);
    double tokens = 0.0;
    for (const auto& path : example.paths) tokens += static_cast<double>(path.learned());
    return tokens;
  }

  Result<void> check(const TrainingExample& example) const override {
    if (example.paths.size() < fewest_answers()) {
      return fail(ErrorCode::kUsage, "{}: at least {} answers to each prompt are needed, it has {}", example.id,
                  fewest_answers(), example.paths.size());
    }
    for (const auto& path : example.paths) {
      if (path.sampler_logprobs.size() == path.learned() && std::isfinite(path.value)) continue;
      return fail(ErrorCode::kUsage,
                  "{}: a drawn answer should have a reward that is a number and the sampler's log-probability of each "
                  "of its {} tokens; it has reward {} and {} log-probabilities",
                  example.id, path.learned(), path.value, path.sampler_logprobs.size());
    }
    return {};
  }

  Result<Rollouts> roll_out(Answers before, std::optional<double> beta) const override {
    Rollouts rollouts;
    rollouts.beta = rollouts.next_beta = rule_.adapts_beta ? beta.value_or(rule_.beta) : rule_.beta;
    for (const auto& scored : before) rollouts.experience.push_back(drawn(scored));
    VALENCE_CHECK(judge(before, rollouts));
    return rollouts;
  }

  Result<TaskLoss> loss(Answers examples) const override {
    std::vector<torch::Tensor> losses;
    Figures figures;
    for (const auto& scored : examples) losses.push_back(loss_of(scored, figures));
    return TaskLoss{torch::stack(losses).sum(), std::move(figures)};
  }

 protected:
  virtual std::size_t fewest_answers() const { return 2; }
  /// Fills in the advantages of all answers, and what else is settled by them.
  virtual Result<void> judge(Answers before, Rollouts& rollouts) const = 0;

  const RolloutRule& rule() const { return rule_; }
  std::vector<double> rewards(const ScoredExample& scored) const {
    return rewards_of(*scored.example, rule_.missing_end_penalty);
  }
  /// One advantage per answer, for all of its tokens.
  static void spread(const std::vector<double>& advantages, std::vector<Experience>& experience) {
    for (std::size_t i = 0; i < experience.size(); ++i)
      experience[i].advantages = torch::full_like(experience[i].old_logprobs, advantages[i]);
  }

 private:
  /// What the sampler said of the tokens, beside what the trainer says of them.
  std::vector<Experience> drawn(const ScoredExample& scored) const {
    std::vector<Experience> answers;
    for (std::size_t i = 0; i < scored.logprobs.size(); ++i) {
      Experience answer;
      answer.old_logprobs = scored.logprobs[i].detach();
      const auto sampler = tensor_like(scored.example->paths[i].sampler_logprobs, answer.old_logprobs);
      const auto difference = answer.old_logprobs - sampler;
      answer.mismatch = difference.abs().mean().item<double>();
      answer.weight = torch::ones_like(difference);
      if (rule_.importance_cap > 0.0) {
        answer.weight = truncated_importance(at_level(difference, update_.level), torch::zeros_like(difference),
                                             rule_.importance_cap);
        answer.truncated = (answer.weight >= rule_.importance_cap).to(torch::kDouble).mean().item<double>();
      }
      answers.push_back(std::move(answer));
    }
    return answers;
  }

  torch::Tensor loss_of(const ScoredExample& scored, Figures& figures) const {
    const FlatAnswers flat(scored);
    const auto answers = static_cast<std::int64_t>(scored.logprobs.size());
    const auto policy = clipped_policy_loss(flat.logprobs, flat.old, flat.advantages, flat.answer, answers,
                                            update_.level, update_.clip);
    auto per_token = policy.per_token * flat.weight;
    if (update_.kl_weight > 0.0) per_token = per_token + update_.kl_weight * kl_k3(flat.logprobs, flat.reference);
    const double count = units(*scored.example);
    auto loss = count * reduce(per_token, flat.answer, answers, update_.reduction, update_.longest);
    look(scored, policy, figures);
    if (!flat.values.defined()) return loss;
    const auto values = value_loss(flat.values, flat.old_values, flat.returns, update_.value_clip);
    figures.sums["value_loss"] += static_cast<double>(answers) * values.item<double>();
    return loss + count * update_.value_weight * values;
  }

  /// Means over answers; what is per token is first averaged over the answers' tokens.
  static void look(const ScoredExample& scored, const PolicyLoss& policy, Figures& figures) {
    const auto& paths = scored.example->paths;
    const auto answers = static_cast<double>(paths.size());
    for (std::size_t i = 0; i < paths.size(); ++i) {
      figures.sums["reward"] += paths[i].value;
      figures.sums["length"] += static_cast<double>(paths[i].learned());
      figures.sums["ended"] += paths[i].ended ? 1.0 : 0.0;
      figures.sums["sampler_mismatch"] += scored.experience[i].mismatch;
      figures.sums["sampler_truncated"] += scored.experience[i].truncated;
      if (!scored.entropy.empty())
        figures.sums["entropy"] += scored.entropy[i].to(torch::kDouble).mean().item<double>();
    }
    figures.sums["ratio"] += answers * policy.ratio.to(torch::kDouble).mean().item<double>();
    figures.sums["clip_fraction"] += answers * policy.clip_fraction.item<double>();
    figures.weight += answers;
  }

  UpdateRule update_;
  RolloutRule rule_;
};

GroupScale group_scale_from(std::string_view name) {
  if (name == "none") return GroupScale::kNone;
  return name == "population" ? GroupScale::kPopulationDeviation : GroupScale::kSampleDeviation;
}

Reduction reduction_from(std::string_view name) {
  if (name == "answer_mean") return Reduction::kAnswerMean;
  return name == "constant" ? Reduction::kConstant : Reduction::kTokenMean;
}

/// GRPO (Shao et al. 2024), with the settings of Dr. GRPO (deviation none, reduction constant) and GSPO.
class GrpoTask final : public PolicyGradientTask {
 public:
  explicit GrpoTask(const Settings& settings)
      : PolicyGradientTask(settings, update_of(settings)), scale_(group_scale_from(settings.text("deviation"))) {}

 private:
  static UpdateRule update_of(const Settings& settings) {
    UpdateRule update;
    update.level = settings.text("ratio") == "token" ? RatioLevel::kToken : RatioLevel::kSequenceMean;
    update.reduction = reduction_from(settings.text("reduction"));
    update.kl_weight = settings.number("beta");
    update.longest = settings.integer("max_tokens");
    return update;
  }

  Result<void> judge(Answers before, Rollouts& rollouts) const override {
    for (std::size_t i = 0; i < before.size(); ++i) {
      VALENCE_TRY(const auto advantages, group_advantages(rewards(before[i]), scale_));
      spread(advantages, rollouts.experience[i]);
    }
    return {};
  }

  GroupScale scale_;
};

/// RLOO (Ahmadian et al. 2024): the whole answer is one action.
class RlooTask final : public PolicyGradientTask {
 public:
  explicit RlooTask(const Settings& settings)
      : PolicyGradientTask(settings, {.level = RatioLevel::kSequence, .reduction = Reduction::kAnswerMean}) {}

 private:
  Result<void> judge(Answers before, Rollouts& rollouts) const override {
    for (std::size_t i = 0; i < before.size(); ++i) {
      auto worth = rewards(before[i]);
      for (std::size_t k = 0; k < worth.size(); ++k) worth[k] -= rollouts.beta * drift_of(before[i], k);
      VALENCE_TRY(const auto advantages, leave_one_out_advantages(worth));
      spread(advantages, rollouts.experience[i]);
    }
    return {};
  }
};

/// PPO (Schulman et al. 2017) as it is used on language models (Ziegler et al. 2019): a reward per token, −β times the
/// drift there, and the answer's own at its end; a value per token as baseline.
class PpoTask final : public PolicyGradientTask {
 public:
  explicit PpoTask(const Settings& settings)
      : PolicyGradientTask(
            settings, {.value_weight = settings.number("value_weight"), .value_clip = settings.number("value_clip")},
            settings.number("kl_target") > 0.0),
        gamma_(settings.number("gamma")),
        lambda_(settings.number("lambda")),
        whiten_(settings.flag("whiten")),
        k3_(settings.text("kl") == "k3"),
        kl_target_(settings.number("kl_target")),
        kl_gain_(settings.number("kl_gain")) {}

  bool reads_values() const override { return true; }

 private:
  std::size_t fewest_answers() const override { return 1; }

  Result<void> judge(Answers before, Rollouts& rollouts) const override {
    std::vector<double> advantages;  // of all tokens of all answers
    double drift = 0.0, answers = 0.0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto worth = rewards(before[i]);
      for (std::size_t k = 0; k < worth.size(); ++k) {
        VALENCE_TRY(const auto gae, estimate(before[i], k, worth[k], rollouts.beta));
        auto& experience = rollouts.experience[i][k];
        experience.old_values = before[i].values[k].detach();
        experience.returns = tensor_like(gae.returns, experience.old_values);
        advantages.insert(advantages.end(), gae.advantages.begin(), gae.advantages.end());
        drift += drift_of(before[i], k);
        answers += 1.0;
      }
    }
    if (whiten_) whiten(advantages);
    hand_out(advantages, rollouts);
    if (kl_target_ > 0.0) rollouts.next_beta = adapted(rollouts.beta, drift / answers);
    return {};
  }

  Result<Gae> estimate(const ScoredExample& scored, std::size_t path, double reward, double beta) const {
    if (scored.values.empty()) return fail(ErrorCode::kUnsupported, "this model has no value head");
    auto kl = doubles_of(scored.logprobs[path] - scored.reference[path]);
    if (k3_) std::ranges::transform(kl, kl.begin(), [](double k1) { return kl_k3(k1); });
    return generalised_advantages(token_rewards(kl, beta, reward), doubles_of(scored.values[path]), gamma_, lambda_);
  }

  static void hand_out(const std::vector<double>& advantages, Rollouts& rollouts) {
    auto next = advantages.begin();
    for (auto& example : rollouts.experience) {
      for (auto& experience : example) {
        const auto end = next + experience.old_logprobs.numel();
        experience.advantages = tensor_like({next, end}, experience.old_logprobs);
        next = end;
      }
    }
  }

  double adapted(double beta, double observed) const {
    AdaptiveKl kl(beta, kl_target_, kl_gain_);
    kl.update(observed);
    return kl.beta();
  }

  double gamma_, lambda_;
  bool whiten_, k3_;
  double kl_target_, kl_gain_;
};

}  // namespace

std::unique_ptr<Task> policy_gradient_task(std::string_view operation, const Settings& settings) {
  if (operation == "grpo") return std::make_unique<GrpoTask>(settings);
  if (operation == "ppo") return std::make_unique<PpoTask>(settings);
  return std::make_unique<RlooTask>(settings);
}

}  // namespace valence::train
