#include "fused.h"

namespace valence {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class RmsNorm : public torch::autograd::Function<RmsNorm> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, double epsilon) {
    const auto scale = x.square().mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_();
    context->save_for_backward({x, weight, scale});
    return (x * scale).mul_(weight);
  }

  /// With n = x·s and g = w·dy: dx = s·(g − n·mean(g·n)), dw = Σ dy·n.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &scale = saved[2], &dy = gradients[0];
    const auto normed = x * scale;
    Tensor d_weight;
    if (weight.requires_grad()) d_weight = (dy * normed).flatten(0, -2).sum(0);
    const auto dx = dy * weight;
    const auto along = (dx * normed).mean(-1, /*keepdim=*/true);
    dx.sub_(normed.mul_(along)).mul_(scale);
    return {dx, d_weight, Tensor()};
  }
};

/// The two numbers of every couple that is turned together, as views.
std::pair<Tensor, Tensor> couples(const Tensor& x, RopePairs pairs) {
  const auto half = x.size(2) / 2;
  if (pairs == RopePairs::kHalves) return {x.narrow(2, 0, half), x.narrow(2, half, half)};
  const auto by_couple = x.view({x.size(0), x.size(1), half, 2});
  return {by_couple.select(3, 0), by_couple.select(3, 1)};
}

/// Turned by the angles, or back by them.
Tensor turned(const Tensor& x, const Tensor& cosine, const Tensor& sine, RopePairs pairs, bool back) {
  auto out = torch::empty(x.sizes(), x.options());
  const auto [first, second] = couples(x, pairs);
  auto [out_first, out_second] = couples(out, pairs);
  const double sign = back ? -1.0 : 1.0;
  at::mul_out(out_first, first, cosine).addcmul_(second, sine, -sign);
  at::mul_out(out_second, second, cosine).addcmul_(first, sine, sign);
  return out;
}

class Rope : public torch::autograd::Function<Rope> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& cosine, const Tensor& sine,
                        RopePairs pairs) {
    context->save_for_backward({cosine, sine});
    context->saved_data["halves"] = pairs == RopePairs::kHalves;
    return turned(x, cosine, sine, pairs, /*back=*/false);
  }

  /// The way back of a rotation is the opposite one.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto pairs = context->saved_data["halves"].toBool() ? RopePairs::kHalves : RopePairs::kNeighbours;
    return {turned(gradients[0].contiguous(), saved[0], saved[1], pairs, /*back=*/true), Tensor(), Tensor(), Tensor()};
  }
};

/// g and u of [tokens, g and u beside each other], as views.
std::pair<Tensor, Tensor> gate_and_up(const Tensor& both) {
  const auto half = both.size(1) / 2;
  return {both.narrow(1, 0, half), both.narrow(1, half, half)};
}

class Gated : public torch::autograd::Function<Gated> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& both, bool silu) {
    const auto [gate, up] = gate_and_up(both);
    const auto open = silu ? torch::silu(gate) : torch::gelu(gate, "tanh");
    context->save_for_backward({both, open});
    context->saved_data["silu"] = silu;
    return open * up;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &both = saved[0], &open = saved[1], &dy = gradients[0];
    const auto [gate, up] = gate_and_up(both);
    auto d_both = torch::empty(both.sizes(), both.options());
    auto [d_gate, d_up] = gate_and_up(d_both);
    at::mul_out(d_up, dy, open);
    if (context->saved_data["silu"].toBool()) {
      at::silu_backward_out(d_gate, dy * up, gate);
    } else {
      at::gelu_backward_out(d_gate, dy * up, gate, "tanh");
    }
    return {d_both, Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon) { return RmsNorm::apply(x, weight, epsilon); }

Tensor rope(const Tensor& x, const RopeTable& table, RopePairs pairs) {
  return Rope::apply(x, table.cosine, table.sine, pairs);
}

Tensor gated(const Tensor& both, Gate gate) { return Gated::apply(both, gate == Gate::kSilu); }

}  // namespace valence
