#include "reward_model.h"

#include <limits>

#include "order.h"

namespace valence::train {

torch::Tensor bradley_terry_loss(const torch::Tensor& chosen, const torch::Tensor& rejected,
                                 const torch::Tensor& margin, const RewardModelOptions& options) {
  const auto difference = margin.defined() ? chosen - rejected - margin : chosen - rejected;
  const auto loss = -torch::log_sigmoid(difference);
  return options.centring == 0.0 ? loss : loss + options.centring * (chosen + rejected).square();
}

torch::Tensor plackett_luce_loss(const torch::Tensor& rewards, const torch::Tensor& scores,
                                 const RewardModelOptions& options) {
  const auto places = torch::arange(rewards.size(-1), torch::dtype(torch::kLong).device(rewards.device()));
  const auto itself = places.unsqueeze(-2) == places.unsqueeze(-1);
  const auto nothing = torch::full({}, -std::numeric_limits<double>::infinity(), rewards.options());
  // [.., i, j]: what answer i was taken before, itself included.
  const auto field = torch::where(strictly_worse(rewards, scores).logical_or(itself), rewards.unsqueeze(-2), nothing);
  const auto loss = (torch::logsumexp(field, -1) - rewards).sum(-1);
  return options.centring == 0.0 ? loss : loss + options.centring * (2 * rewards.mean(-1)).square();
}

}  // namespace valence::train
