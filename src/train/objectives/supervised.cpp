#include "supervised.h"

namespace valence::train {

torch::Tensor token_nll_loss(const torch::Tensor& token_logprobs, const torch::Tensor& weights) {
  if (!weights.defined()) return -token_logprobs.mean();
  return -(token_logprobs * weights).sum() / weights.sum();
}

torch::Tensor choice_loss(const torch::Tensor& option_logprobs, const torch::Tensor& target, bool among_options) {
  const auto logprobs = among_options ? torch::log_softmax(option_logprobs, -1) : option_logprobs;
  // An option of no weight may have no probability either: 0 · −∞ is 0 here.
  return -torch::where(target > 0, target * logprobs, torch::zeros_like(logprobs)).sum(-1);
}

}  // namespace valence::train
