#include "head.h"

#include <gtest/gtest.h>

namespace valence::test {
namespace {

struct Case {
  Head head;
  torch::Tensor states;
  LossPlan plan;
};

/// 9 rows of which some have several targets, and one has none.
Case make_case(double cap, bool bias) {
  torch::manual_seed(3);
  Case made;
  made.head.weight = torch::randn({37, 12});
  made.head.bias = bias ? torch::randn({37}) : torch::Tensor();
  made.head.cap = cap;
  made.head.rows_at_once = 4;
  made.states = torch::randn({9, 12});
  made.plan.row = torch::tensor(std::vector<std::int64_t>{8, 0, 3, 3, 1, 8, 5, 4, 2, 3, 7});
  made.plan.target = torch::tensor(std::vector<std::int64_t>{5, 36, 0, 0, 7, 9, 11, 30, 2, 4, 1});
  return made;
}

torch::Tensor plain(const Case& one) {
  return torch::log_softmax(head_logits(one.head, one.states), 1).index({one.plan.row, one.plan.target});
}

class HeadLogprob : public ::testing::TestWithParam<std::tuple<double, bool, bool>> {};

TEST_P(HeadLogprob, EqualsLogSoftmaxWithItsGradients) {
  const auto [cap, bias, learns] = GetParam();
  auto one = make_case(cap, bias);
  one.states.requires_grad_(true);
  std::vector<torch::Tensor> inputs{one.states};
  if (learns) inputs.push_back(one.head.weight.requires_grad_(true));
  if (learns && bias) inputs.push_back(one.head.bias.requires_grad_(true));
  const auto weights = torch::linspace(-1, 2, 11);
  const auto expected = plain(one);
  const auto found = head_logprobs(one.head, one.states, one.plan, true).first;
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-5);
  const auto want = torch::autograd::grad({(expected * weights).sum()}, inputs);
  const auto have = torch::autograd::grad({(found * weights).sum()}, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_LT((have[i] - want[i]).abs().max().item<double>(), 2e-5) << i;
}

INSTANTIATE_TEST_SUITE_P(All, HeadLogprob,
                         ::testing::Combine(::testing::Values(0.0, 3.0), ::testing::Bool(), ::testing::Bool()));

TEST(HeadEntropy, IsTheRowsOwnAndHasNoGradient) {
  const auto one = make_case(0, true);
  const auto [logprob, entropy] = head_logprobs(one.head, one.states, one.plan, true);
  const auto log_p = torch::log_softmax(head_logits(one.head, one.states), 1);
  const auto expected = -(log_p.exp() * log_p).sum(1).index_select(0, one.plan.row);
  EXPECT_LT((entropy - expected).abs().max().item<double>(), 1e-5);
  EXPECT_FALSE(entropy.requires_grad());
  EXPECT_FALSE(head_logprobs(one.head, one.states, one.plan, false).second.defined());
}

}  // namespace
}  // namespace valence::test
