#include "policy_gradient.h"

#include "exponential.h"

namespace valence::train {
namespace {

torch::Tensor sum_by_answer(const torch::Tensor& per_token, const torch::Tensor& answer, std::int64_t answers) {
  return torch::zeros({answers}, per_token.options()).index_add(0, answer, per_token);
}

torch::Tensor lengths_of(const torch::Tensor& like, const torch::Tensor& answer, std::int64_t answers) {
  return sum_by_answer(torch::ones_like(like), answer, answers);
}

torch::Tensor log_ratio(const torch::Tensor& per_token, const torch::Tensor& answer, std::int64_t answers,
                        RatioLevel level) {
  if (level == RatioLevel::kToken) return per_token;
  auto by_answer = sum_by_answer(per_token, answer, answers);
  if (level == RatioLevel::kSequenceMean) by_answer = by_answer / lengths_of(per_token.detach(), answer, answers);
  return by_answer.index_select(0, answer);
}

}  // namespace

PolicyLoss clipped_policy_loss(const torch::Tensor& logprobs, const torch::Tensor& old_logprobs,
                               const torch::Tensor& advantages, const torch::Tensor& answer, std::int64_t answers,
                               RatioLevel level, const ClipOptions& clip) {
  const auto ratio = straightened_exp(log_ratio(logprobs - old_logprobs, answer, answers, level));
  const auto free = ratio * advantages;
  const auto held = ratio.clamp(1 - clip.low, 1 + clip.high) * advantages;
  const auto cut = (held < free).to(torch::kDouble).mean();
  return {-torch::minimum(free, held), ratio.detach(), cut.detach()};
}

torch::Tensor reduce(const torch::Tensor& per_token, const torch::Tensor& answer, std::int64_t answers,
                     Reduction reduction, std::int64_t longest) {
  switch (reduction) {
    case Reduction::kTokenMean:
      return per_token.mean();
    case Reduction::kConstant:
      return per_token.sum() / static_cast<double>(answers * longest);
    case Reduction::kAnswerMean:
      break;
  }
  return (sum_by_answer(per_token, answer, answers) / lengths_of(per_token.detach(), answer, answers)).mean();
}

torch::Tensor kl_k3(const torch::Tensor& logprobs, const torch::Tensor& reference_logprobs) {
  const auto k = logprobs - reference_logprobs;
  return torch::expm1(-k) + k;
}

torch::Tensor value_loss(const torch::Tensor& values, const torch::Tensor& old_values, const torch::Tensor& returns,
                         double clip) {
  auto error = (values - returns).square();
  if (clip > 0) {
    const auto held = torch::minimum(torch::maximum(values, old_values - clip), old_values + clip);
    error = torch::maximum(error, (held - returns).square());
  }
  return 0.5 * error.mean();
}

torch::Tensor reinforce_loss(const torch::Tensor& logprobs, const torch::Tensor& advantages) {
  return -(advantages * logprobs).mean();
}

torch::Tensor truncated_importance(const torch::Tensor& logprobs, const torch::Tensor& sampler_logprobs, double cap) {
  return torch::exp(logprobs - sampler_logprobs).clamp_max(cap).detach();
}

}  // namespace valence::train
