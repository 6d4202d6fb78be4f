#include "preference.h"

#include "exponential.h"
#include "logistic.h"
#include "order.h"

namespace valence::train {
namespace {

constexpr double kLn2 = 0.6931471805599453;

}  // namespace

torch::Tensor divergence_score(const torch::Tensor& log_ratio, Divergence divergence, double alpha) {
  switch (divergence) {
    case Divergence::kForwardKl:
      return -straightened_exp(-log_ratio);
    case Divergence::kJensenShannon:
      return kLn2 + torch::log_sigmoid(log_ratio);
    case Divergence::kAlpha: {
      const auto exponent = -alpha * log_ratio;
      return -(torch::expm1(exponent.clamp_max(kStraight)) + along_the_tangent(exponent)) / alpha;
    }
    case Divergence::kReverseKl:
      break;
  }
  return log_ratio;
}

torch::Tensor dpo_loss(const Pair& log_ratios, const DpoOptions& options) {
  const auto difference = divergence_score(log_ratios.chosen, options.divergence, options.alpha) -
                          divergence_score(log_ratios.rejected, options.divergence, options.alpha);
  const auto z = options.beta * difference;
  const double e = options.smoothing;
  switch (options.loss) {
    case PairLoss::kRobust:
      return (-(1 - e) * torch::log_sigmoid(z) + e * torch::log_sigmoid(-z)) / (1 - 2 * e);
    case PairLoss::kHinge:
      return torch::relu(1 - z);
    case PairLoss::kIpo:
      return (difference - 1 / (2 * options.beta)).square();
    case PairLoss::kSigmoid:
      break;
  }
  return -(1 - e) * torch::log_sigmoid(z) - e * torch::log_sigmoid(-z);
}

torch::Tensor implicit_reward(const torch::Tensor& log_ratio, double beta) { return beta * log_ratio; }

torch::Tensor slic_loss(const Pair& logprobs, double margin) {
  return torch::relu(margin - (logprobs.chosen - logprobs.rejected));
}

torch::Tensor kto_reference_point(const torch::Tensor& mismatched_log_ratios) {
  return mismatched_log_ratios.detach().mean().clamp_min(0);
}

torch::Tensor kto_loss(const torch::Tensor& log_ratio, const torch::Tensor& desirable,
                       const torch::Tensor& reference_point, const KtoOptions& options) {
  const auto gain = options.desirable * (1 - torch::sigmoid(options.beta * (log_ratio - reference_point)));
  const auto cost = options.undesirable * (1 - torch::sigmoid(options.beta * (reference_point - log_ratio)));
  return torch::where(desirable, gain, cost);
}

torch::Tensor simpo_loss(const Pair& logprobs, const Pair& lengths, const SimpoOptions& options) {
  const auto difference = logprobs.chosen / lengths.chosen - logprobs.rejected / lengths.rejected;
  return -torch::log_sigmoid(options.beta * difference - options.gamma);
}

torch::Tensor cpo_loss(const Pair& logprobs, double beta, double alpha) {
  return -torch::log_sigmoid(beta * (logprobs.chosen - logprobs.rejected)) - alpha * logprobs.chosen;
}

torch::Tensor log_odds(const torch::Tensor& mean_logprob) { return mean_logprob - log1m_exp(mean_logprob); }

torch::Tensor orpo_loss(const Pair& logprobs, const Pair& lengths, double lambda) {
  const auto chosen = logprobs.chosen / lengths.chosen;
  const auto rejected = logprobs.rejected / lengths.rejected;
  return -chosen - lambda * torch::log_sigmoid(log_odds(chosen) - log_odds(rejected));
}

torch::Tensor rrhf_loss(const torch::Tensor& mean_logprobs, const torch::Tensor& best_nll,
                        const torch::Tensor& scores) {
  // [.., i, j] = p_j − p_i; only answers j that are worse than i count.
  const auto excess = mean_logprobs.unsqueeze(-2) - mean_logprobs.unsqueeze(-1);
  const auto worse = strictly_worse(mean_logprobs, scores);
  return torch::where(worse, torch::relu(excess), torch::zeros_like(excess)).sum({-2, -1}) + best_nll;
}

}  // namespace valence::train
