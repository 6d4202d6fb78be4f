#include "head.h"

#include <algorithm>

namespace valence {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Logits of one chunk, and what the cap does to their derivative (undefined without a cap).
struct Chunk {
  Tensor logits, slope;
};

/// libtorch 1.13 takes no undefined tensor for an input: a head without bias has an empty one.
bool has(const Tensor& bias) { return bias.numel() > 0; }

Chunk chunk_of(const Tensor& states, const Tensor& weight, const Tensor& bias, double cap) {
  Chunk chunk{has(bias) ? torch::addmm(bias, states, weight.t()) : torch::mm(states, weight.t()), {}};
  if (cap > 0) {
    const auto bent = chunk.logits.div_(cap).tanh_();
    chunk.slope = 1.0 - bent.square();
    chunk.logits = bent * cap;
  }
  return chunk;
}

/// The losses ordered by row, so that those of a chunk of rows lie together.
struct ByRow {
  Tensor order, row, target;        ///< [losses]
  std::vector<std::int64_t> begin;  ///< of each chunk's losses; one more than chunks

  ByRow(const Tensor& loss_row, const Tensor& loss_target, std::int64_t rows, std::int64_t at_once) {
    order = torch::argsort(loss_row, /*dim=*/0, /*descending=*/false);
    row = loss_row.index_select(0, order);
    target = loss_target.index_select(0, order);
    const auto sorted = row.cpu();
    const auto* first = sorted.data_ptr<std::int64_t>();
    for (std::int64_t chunk = 0; chunk < rows; chunk += at_once) {
      begin.push_back(std::lower_bound(first, first + sorted.numel(), chunk) - first);
    }
    begin.push_back(sorted.numel());
  }
};

/// One chunk of rows and the losses on them.
struct Range {
  std::int64_t row, rows, loss, losses;
};

std::vector<Range> ranges_of(const ByRow& by_row, std::int64_t rows, std::int64_t at_once) {
  std::vector<Range> ranges;
  for (std::size_t i = 0; i + 1 < by_row.begin.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) * at_once;
    ranges.push_back({row, std::min(at_once, rows - row), by_row.begin[i], by_row.begin[i + 1] - by_row.begin[i]});
  }
  return ranges;
}

/// Element (row, target) for each of a range's losses.
Tensor at_targets(const Tensor& values, const ByRow& by_row, const Range& range) {
  const auto rows = by_row.row.narrow(0, range.loss, range.losses) - range.row;
  return values.index({rows, by_row.target.narrow(0, range.loss, range.losses)});
}

/// Sums [losses] values by row.
Tensor by_rows(const Tensor& values, const Tensor& row, std::int64_t rows) {
  return torch::zeros({rows}, values.options()).index_add_(0, row, values);
}

class HeadLogprobs : public torch::autograd::Function<HeadLogprobs> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& states, const Tensor& weight, const Tensor& bias,
                               const Tensor& loss_row, const Tensor& loss_target, double cap, std::int64_t at_once,
                               bool with_entropy) {
    const auto rows = states.size(0);
    const ByRow by_row(loss_row, loss_target, rows, at_once);
    const bool frozen = !weight.requires_grad() && !(has(bias) && bias.requires_grad());
    const bool take_along = frozen && states.requires_grad();
    auto sorted = torch::empty({loss_row.size(0)}, states.options()), slope_at_target = torch::ones_like(sorted);
    auto normaliser = torch::empty({rows}, states.options()),
         entropy = torch::empty({with_entropy ? rows : 0}, states.options());
    auto mean = torch::empty({take_along ? rows : 0, states.size(1)}, states.options());
    for (const auto& range : ranges_of(by_row, rows, at_once)) {
      const auto chunk = chunk_of(states.narrow(0, range.row, range.rows), weight, bias, cap);
      const auto wanted = at_targets(chunk.logits, by_row, range);
      const auto most = chunk.logits.amax(1, /*keepdim=*/true);
      const auto below = chunk.logits.sub_(most);  // from here on the logits are these, and soon probabilities
      const auto p = with_entropy ? below.exp() : below.exp_();
      const auto sum = p.sum(1, /*keepdim=*/true), log_sum = sum.log();
      normaliser.narrow(0, range.row, range.rows).copy_((log_sum + most).squeeze(1));
      const auto rows_of_losses = by_row.row.narrow(0, range.loss, range.losses);
      sorted.narrow(0, range.loss, range.losses).copy_(wanted - normaliser.index_select(0, rows_of_losses));
      if (!take_along && !with_entropy) continue;
      p.div_(sum);
      if (with_entropy) entropy.narrow(0, range.row, range.rows).copy_(log_sum.squeeze(1) - (p * below).sum(1));
      if (!take_along) continue;
      if (cap > 0) {
        slope_at_target.narrow(0, range.loss, range.losses).copy_(at_targets(chunk.slope, by_row, range));
        p.mul_(chunk.slope);
      }
      auto row_means = mean.narrow(0, range.row, range.rows);
      torch::mm_out(row_means, p, weight);
    }
    context->save_for_backward(
        {states, weight, bias, loss_row, loss_target, normaliser, mean, slope_at_target, by_row.order});
    context->saved_data["cap"] = cap;
    context->saved_data["at_once"] = at_once;
    context->saved_data["take_along"] = take_along;
    auto logprob = torch::empty_like(sorted).index_copy_(0, by_row.order, sorted);
    auto loss_entropy = with_entropy ? entropy.index_select(0, loss_row) : torch::empty({0}, states.options());
    context->mark_non_differentiable({loss_entropy});
    return {logprob, loss_entropy};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto d_states =
        context->saved_data["take_along"].toBool() ? frozen_backward(context, gradients[0]) : std::vector<Tensor>();
    auto d = d_states.empty() ? full_backward(context, gradients[0]) : d_states;
    d.resize(8);
    return d;
  }

 private:
  /// d log p(t) / d state = slope(t)·W[t] − E_p[slope·W], the latter known already.
  static variable_list frozen_backward(AutogradContext* context, const Tensor& gradient) {
    const auto saved = context->get_saved_variables();
    const auto &states = saved[0], &weight = saved[1], &loss_row = saved[3], &loss_target = saved[4], &mean = saved[6];
    const auto slope = torch::empty_like(saved[7]).index_copy_(0, saved[8], saved[7]);
    const auto total = by_rows(gradient, loss_row, states.size(0));
    auto d_states = mean * (-total).unsqueeze(1);
    d_states.index_add_(0, loss_row, weight.index_select(0, loss_target) * (gradient * slope).unsqueeze(1));
    return {d_states};
  }

  /// The logits again, chunk by chunk: for a head that learns, whose gradient needs the losses' own.
  static variable_list full_backward(AutogradContext* context, const Tensor& gradient) {
    const auto saved = context->get_saved_variables();
    const auto &states = saved[0], &weight = saved[1], &bias = saved[2], &normaliser = saved[5];
    const auto cap = context->saved_data["cap"].toDouble();
    const auto at_once = context->saved_data["at_once"].toInt();
    const auto rows = states.size(0);
    const ByRow by_row(saved[3], saved[4], rows, at_once);
    const auto total = by_rows(gradient, saved[3], rows), sorted = gradient.index_select(0, by_row.order);
    auto d_states = torch::empty_like(states), d_weight = torch::zeros_like(weight);
    auto d_bias = has(bias) ? torch::zeros_like(bias) : Tensor();
    for (const auto& range : ranges_of(by_row, rows, at_once)) {
      const auto part = states.narrow(0, range.row, range.rows);
      const auto chunk = chunk_of(part, weight, bias, cap);
      auto d = (chunk.logits - normaliser.narrow(0, range.row, range.rows).unsqueeze(1)).exp_();
      d.mul_((-total.narrow(0, range.row, range.rows)).unsqueeze(1));
      const auto loss_rows = by_row.row.narrow(0, range.loss, range.losses) - range.row;
      d.index_put_({loss_rows, by_row.target.narrow(0, range.loss, range.losses)},
                   sorted.narrow(0, range.loss, range.losses), /*accumulate=*/true);
      if (cap > 0) d.mul_(chunk.slope);
      d_states.narrow(0, range.row, range.rows).copy_(torch::mm(d, weight));
      d_weight.addmm_(d.t(), part);
      if (d_bias.defined()) d_bias.add_(d.sum(0));
    }
    return {d_states, d_weight, d_bias};
  }
};

}  // namespace

Tensor head_logits(const Head& head, const Tensor& states) {
  const auto logits =
      head.bias.defined() ? torch::addmm(head.bias, states, head.weight.t()) : torch::mm(states, head.weight.t());
  return head.cap > 0 ? torch::tanh(logits / head.cap) * head.cap : logits;
}

std::pair<Tensor, Tensor> head_logprobs(const Head& head, const Tensor& states, const LossPlan& plan,
                                        bool with_entropy) {
  const auto bias = head.bias.defined() ? head.bias : torch::empty({0}, states.options());
  const auto results = HeadLogprobs::apply(states.contiguous(), head.weight, bias, plan.row, plan.target, head.cap,
                                           head.rows_at_once, with_entropy);
  return {results[0], with_entropy ? results[1] : Tensor()};
}

}  // namespace valence
