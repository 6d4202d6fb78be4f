// The tree must not change what is learned: every gradient equals that of the paths computed one by one.
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <set>

#include "tiny_transformer.h"

namespace valence::test {
namespace {

std::vector<PathGroup> preference_groups() {
  std::vector<PathGroup> groups;
  const auto start = random_tokens(100, 9);
  for (std::uint64_t g = 0; g < 3; ++g) {
    const auto prompt = random_tokens(g, 12 + g, start);
    PathGroup group;
    for (std::uint64_t p = 0; p < 3; ++p)
      group.paths.push_back(path_from(random_tokens(50 + 10 * g + p, 5 + 6 * p, prompt), prompt.size()));
    groups.push_back(std::move(group));
  }
  return groups;
}

/// A loss that weighs every token differently, so that no error can cancel.
torch::Tensor loss_of(const Transformer& model, const TreePack& pack, const std::vector<PathGroup>& groups) {
  const auto scores = model.score(pack).logprob.to(torch::kFloat64);
  std::vector<double> weights;
  for (const auto& loss : pack.losses) {
    const auto& origin = pack.paths[loss.path];
    const auto& tokens = groups[origin.group].paths[origin.path].tokens;
    weights.push_back(static_cast<double>(1 + (tokens[loss.position] * 7 + static_cast<TokenId>(loss.position) * 3 +
                                               static_cast<TokenId>(origin.path)) %
                                                  5) *
                      0.1);
  }
  return -(scores * torch::tensor(weights, torch::kFloat64)).sum();
}

std::vector<torch::Tensor> gradients(const Transformer& model, const std::vector<PathGroup>& groups,
                                     const PackLimits& limits) {
  for (const auto& parameter : model.parameters()) parameter.value.mutable_grad() = torch::Tensor();
  for (const auto& pack : packed(groups, limits)) loss_of(model, pack, groups).backward();
  std::vector<torch::Tensor> list;
  for (const auto& parameter : model.parameters()) list.push_back(parameter.value.grad().clone());
  return list;
}

/// Each path alone in a pack of its own, with the same weights.
std::vector<torch::Tensor> unshared_gradients(const Transformer& model, const std::vector<PathGroup>& groups) {
  for (const auto& parameter : model.parameters()) parameter.value.mutable_grad() = torch::Tensor();
  for (const auto& group : groups) {
    for (std::size_t p = 0; p < group.paths.size(); ++p) {
      const std::vector<PathGroup> alone{{{group.paths[p]}}};
      auto pack = packed(alone).front();
      std::vector<PathGroup> padded{{std::vector<TrainingPath>(p + 1, group.paths[p])}};
      pack.paths.front().path = p;  // weights depend on the place in the group
      loss_of(model, pack, padded).backward();
    }
  }
  std::vector<torch::Tensor> list;
  for (const auto& parameter : model.parameters()) list.push_back(parameter.value.grad().clone());
  return list;
}

/// Largest difference relative to the largest gradient of the tensor.
double largest_relative(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double scale = b[i].abs().max().item<double>();
    EXPECT_GT(scale, 0);
    largest = std::max(largest, (a[i] - b[i]).abs().max().item<double>() / scale);
  }
  return largest;
}

class TreeGradient : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    TinyModel tiny;
    tiny.architecture = GetParam();
    write_tiny(tiny, folder_ / "m.gguf");
  }
  ScratchFolder folder_;
};

TEST_P(TreeGradient, OfAdaptersEqualsTheUnsharedOne) {
  const auto model = load_tiny(folder_ / "m.gguf");
  stir_adapters(*model);
  const auto groups = preference_groups();
  const auto unshared = unshared_gradients(*model, groups);
  PackLimits one_block;
  one_block.join_below = std::size_t{1} << 40;
  PackLimits many_blocks;
  many_blocks.join_below = 0;
  PackLimits small;
  small.tokens = 70;
  for (const auto& limits : {PackLimits{}, one_block, many_blocks, small}) {
    EXPECT_LT(largest_relative(gradients(*model, groups, limits), unshared), 1e-5);
  }
}

TEST_P(TreeGradient, OfEverythingEqualsTheUnsharedOne) {
  const auto model = load_tiny(folder_ / "m.gguf", full_options());
  const auto groups = preference_groups();
  EXPECT_LT(largest_relative(gradients(*model, groups, {}), unshared_gradients(*model, groups)), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Architectures, TreeGradient, ::testing::Values("llama", "qwen2", "qwen3", "gemma3"),
                         [](const auto& given) { return given.param; });

/// Against the slope of the loss itself, along a random direction.
TEST(Gradient, MatchesFiniteDifferences) {
  const ScratchFolder folder;
  TinyModel tiny;
  tiny.architecture = "gemma3";
  tiny.logit_cap = 10;
  write_tiny(tiny, folder / "m.gguf");
  for (const auto& options : {adapter_options(), full_options()}) {
    const auto model = load_tiny(folder / "m.gguf", options);
    stir_adapters(*model);
    const auto groups = preference_groups();
    const auto found = gradients(*model, groups, {});
    const auto parameters = model->parameters();
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters.size(); i += 7) {
      const auto direction = found[i] / found[i].norm();
      const auto value = parameters[i].value;
      const auto before = value.clone();
      const auto loss_at = [&](double step) {
        value.copy_(before + step * direction);
        double sum = 0;
        for (const auto& pack : packed(groups)) sum += loss_of(*model, pack, groups).item<double>();
        return sum;
      };
      constexpr double kStep = 2e-3;
      const double slope = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
      value.copy_(before);
      const double expected = found[i].norm().item<double>();
      EXPECT_NEAR(slope, expected, 0.02 * expected + 5e-3) << parameters[i].name;
    }
  }
}

/// The tensors that a backward pass from `loss` would leave a gradient at.
std::vector<torch::Tensor> reached_from(const torch::Tensor& loss) {
  std::vector<torch::Tensor> reached;
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> open{loss.grad_fn().get()};
  while (!open.empty()) {
    auto* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    if (const auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node)) reached.push_back(leaf->variable);
    for (const auto& edge : node->next_edges()) open.push_back(edge.function.get());
  }
  return reached;
}

TEST(Gradient, ReachesEveryAdapterAndNothingOfTheFrozenModel) {
  const ScratchFolder folder;
  TinyModel tiny;
  tiny.separate_head = true;
  write_tiny(tiny, folder / "m.gguf");
  const auto model = load_tiny(folder / "m.gguf");
  const auto groups = preference_groups();
  const auto loss = loss_of(*model, packed(groups).front(), groups);
  const auto reached = reached_from(loss);
  const auto adapters = model->adapters();
  EXPECT_EQ(reached.size(), 2 * adapters.size()) << "embedding, norms, matrices and head should not be reached";
  loss.backward();
  for (const auto& pair : adapters) {
    for (const auto& matrix : {pair.a, pair.b}) {
      EXPECT_TRUE(std::ranges::any_of(reached, [&](const auto& leaf) { return leaf.is_same(matrix); })) << pair.tensor;
      EXPECT_TRUE(matrix.grad().defined()) << pair.tensor;
    }
  }
}

TEST(HeadRows, AreTheTokensThatALossIsReadAfterAndNoOthers) {
  const ScratchFolder folder;
  write_tiny({}, folder / "m.gguf");
  const auto model = load_tiny(folder / "m.gguf");
  const auto pack = packed(preference_groups()).front();
  std::set<std::size_t> rows;
  for (const auto& loss : pack.losses) rows.insert(loss.row);
  ASSERT_LT(rows.size(), pack.tokens.size());
  const auto states = model->states(pack);
  const auto scores = model->score(pack, states);
  const auto& read = scores.logprob.grad_fn()->next_edge(0);  // by the head
  const auto expected = torch::empty({static_cast<std::int64_t>(rows.size()), states.size(1)});
  EXPECT_TRUE(read.function->input_metadata(read.input_nr).is_same_shape(expected));
}

}  // namespace
}  // namespace valence::test
