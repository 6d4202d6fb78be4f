#include "reward_model.h"

#include "logistic.h"

namespace valence::train {

torch::Tensor bradley_terry_loss(const torch::Tensor& chosen, const torch::Tensor& rejected,
                                 const torch::Tensor& margin, const RewardModelOptions& options) {
  const auto difference = margin.defined() ? chosen - rejected - margin : chosen - rejected;
  const auto loss = -torch::log_sigmoid(difference);
  return options.centring == 0.0 ? loss : loss + options.centring * (chosen + rejected).square();
}

torch::Tensor plackett_luce_loss(const torch::Tensor& rewards) {
  // log Σ_{j ≥ k}: a running log-sum-exp from the last place to the first.
  const auto remaining = torch::logcumsumexp(rewards.flip(-1), -1).flip(-1);
  return (remaining - rewards).sum(-1);
}

}  // namespace valence::train
