#include "tree_attention.h"

namespace valence {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::int64_t int64_of(std::size_t index) { return static_cast<std::int64_t>(index); }

/// [tokens, heads, width] of the queries as [key heads, heads per key head · queries, width].
Tensor by_key_head(const Tensor& x, const TokenRange& queries, std::int64_t key_heads) {
  const auto n = int64_of(queries.size()), width = x.size(2), group = x.size(1) / key_heads;
  return x.narrow(0, int64_of(queries.begin), n)
      .view({n, key_heads, group, width})
      .permute({1, 2, 0, 3})
      .reshape({key_heads, group * n, width});
}

/// The way back, as [queries, heads, width].
Tensor by_token(const Tensor& x, std::int64_t queries) {
  const auto key_heads = x.size(0), group = x.size(1) / queries, width = x.size(2);
  return x.view({key_heads, group, queries, width}).permute({2, 0, 1, 3}).reshape({queries, key_heads * group, width});
}

/// Rows of the key tokens, [key heads, keys, width]; a view when they are one range.
Tensor keys_of(const Tensor& x, const std::vector<TokenRange>& ranges) {
  std::vector<Tensor> pieces;
  for (const auto& range : ranges) pieces.push_back(x.narrow(0, int64_of(range.begin), int64_of(range.size())));
  return (pieces.size() == 1 ? pieces.front() : torch::cat(pieces, 0)).transpose(0, 1);
}

/// Adds [key heads, keys, width] to the rows of the key tokens.
void add_to_keys(Tensor& sum, const std::vector<TokenRange>& ranges, const Tensor& added) {
  const auto by_row = added.transpose(0, 1);
  std::int64_t row = 0;
  for (const auto& range : ranges) {
    sum.narrow(0, int64_of(range.begin), int64_of(range.size())).add_(by_row.narrow(0, row, int64_of(range.size())));
    row += int64_of(range.size());
  }
}

/// Softmax over the keys of [key heads, group · queries, keys].
Tensor probabilities(const Tensor& q, const Tensor& k, const AttentionStep& step, double scale) {
  auto scores = torch::bmm(q, k.transpose(1, 2)).mul_(scale);
  if (step.hidden.defined()) {
    const auto n = step.hidden.size(0), keys = step.hidden.size(1);
    scores.view({q.size(0), -1, n, keys}).add_(step.hidden);
  }
  return torch::softmax(scores, -1);
}

class TreeAttention : public torch::autograd::Function<TreeAttention> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& q, const Tensor& k, const Tensor& v,
                        AttentionPlanPtr plan, double scale) {
    auto out = torch::empty_like(q);
    variable_list saved{q, k, v};
    for (const auto& step : plan->steps) {
      const auto p = probabilities(by_key_head(q, step.queries, k.size(1)), keys_of(k, step.keys), step, scale);
      const auto n = int64_of(step.queries.size());
      out.narrow(0, int64_of(step.queries.begin), n).copy_(by_token(torch::bmm(p, keys_of(v, step.keys)), n));
      saved.push_back(p);
    }
    context->save_for_backward(saved);
    context->saved_data["plan"] = torch::IValue::make_capsule(plan);
    context->saved_data["scale"] = scale;
    return out.view({q.size(0), -1});
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2];
    const auto plan = c10::static_intrusive_pointer_cast<AttentionPlan>(context->saved_data["plan"].toCapsule());
    const auto scale = context->saved_data["scale"].toDouble();
    const auto out = gradients[0].contiguous().view(q.sizes());
    auto dq = torch::empty_like(q), dk = torch::zeros_like(k), dv = torch::zeros_like(v);
    for (std::size_t i = 0; i < plan->steps.size(); ++i) {
      const auto& step = plan->steps[i];
      const auto& p = saved[3 + i];
      const auto n = int64_of(step.queries.size());
      const auto d_out = by_key_head(out, step.queries, k.size(1));
      add_to_keys(dv, step.keys, torch::bmm(p.transpose(1, 2), d_out));
      const auto dp = torch::bmm(d_out, keys_of(v, step.keys).transpose(1, 2));
      const auto ds = at::_softmax_backward_data(dp, p, -1, torch::kFloat32).mul_(scale);
      dq.narrow(0, int64_of(step.queries.begin), n).copy_(by_token(torch::bmm(ds, keys_of(k, step.keys)), n));
      add_to_keys(dk, step.keys, torch::bmm(ds.transpose(1, 2), by_key_head(q, step.queries, k.size(1))));
    }
    return {dq, dk, dv, Tensor(), Tensor()};
  }
};

}  // namespace

torch::Tensor tree_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                             const AttentionPlanPtr& plan, double scale) {
  return TreeAttention::apply(q.contiguous(), k.contiguous(), v.contiguous(), plan, scale);
}

}  // namespace valence
