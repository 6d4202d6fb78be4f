#include "projection.h"

#include <algorithm>
#include <cmath>

#include "valence/base/random.h"

namespace valence {
namespace {

using torch::Tensor;

/// "attn_q" of "blk.0.attn_q".
std::string_view kind_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }

/// Whether an adapter belongs on this matrix. A file with query, key and value in one matrix gets one adapter for all
/// three.
bool is_target(const LoraOptions& options, std::string_view kind) {
  if (options.targets.empty()) return true;
  return std::ranges::any_of(options.targets, [&](const std::string& target) {
    return target == kind || (kind == "attn_qkv" && (target == "attn_q" || target == "attn_k" || target == "attn_v"));
  });
}

/// Uniform in ±1/√(inputs), PEFT's start (Kaiming with a = √5); portable numbers of a stream named after the tensor.
Tensor first_a(std::uint64_t seed, const std::string& name, std::int64_t rank, std::int64_t inputs) {
  RandomStream random(seed, "lora a " + name);
  const double bound = 1.0 / std::sqrt(static_cast<double>(inputs));
  auto a = torch::empty({rank, inputs}, torch::kFloat32);
  auto* values = a.data_ptr<float>();
  for (std::int64_t i = 0; i < a.numel(); ++i) values[i] = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
  return a;
}

/// Biases of all parts one after another, zeros where a part has none; undefined if no part has one.
Tensor joined_biases(const std::vector<ProjectionPart>& parts) {
  std::vector<Tensor> biases;
  bool any = false;
  for (const auto& part : parts) {
    any = any || part.bias.defined();
    biases.push_back(part.bias.defined() ? part.bias : torch::zeros({part.weight.size(0)}, part.weight.options()));
  }
  return any ? torch::cat(biases) : Tensor();
}

Tensor joined_weights(const std::vector<ProjectionPart>& parts) {
  std::vector<Tensor> weights;
  for (const auto& part : parts) weights.push_back(part.weight);
  return weights.size() == 1 ? weights.front() : torch::cat(weights);
}

/// The mask is drawn on the CPU, so that every device drops the same.
Tensor dropped(const Tensor& x, const Pass& pass) {
  if (pass.dropout <= 0) return x;
  const auto kept = torch::empty(x.sizes(), torch::kFloat32).bernoulli_(1.0 - pass.dropout, pass.generator);
  return x * kept.div_(1.0 - pass.dropout).to(x.device());
}

}  // namespace

Result<Projection> Projection::load(WeightReader& file, const std::vector<std::string>& names,
                                    const std::vector<std::int64_t>& outputs, std::int64_t inputs) {
  Projection projection;
  for (std::size_t i = 0; i < names.size(); ++i) {
    VALENCE_TRY(auto weight, file.take(names[i] + ".weight", {outputs[i], inputs}));
    VALENCE_TRY(auto bias, file.take_optional(names[i] + ".bias", {outputs[i]}));
    projection.parts_.push_back({names[i], std::move(weight), std::move(bias), {}, {}});
  }
  projection.joined_ = joined_weights(projection.parts_);
  projection.joined_bias_ = joined_biases(projection.parts_);
  std::int64_t row = 0;
  for (auto& part : projection.parts_) {  // views: the numbers are in memory once
    part.weight = projection.joined_.narrow(0, row, part.weight.size(0));
    row += part.weight.size(0);
  }
  return projection;
}

Tensor Projection::base(const Tensor& x, const Pass& pass) const {
  if (pass.bf16 && bf16_.defined()) {
    const auto y = torch::matmul(x.to(torch::kBFloat16), bf16_.t()).to(torch::kFloat32);
    return joined_bias_.defined() ? y + joined_bias_ : y;
  }
  const auto weight = joined_.defined() ? joined_ : joined_weights(parts_);
  const auto bias = joined_.defined() ? joined_bias_ : joined_biases(parts_);
  return bias.defined() ? torch::addmm(bias, x, weight.t()) : torch::mm(x, weight.t());
}

Tensor Projection::forward(const Tensor& x, const Pass& pass) const {
  const auto y = base(x, pass);
  if (pass.adapter_scale == 0 || !has_adapters()) return y;
  const auto inner = torch::mm(dropped(x, pass), all_a().t());
  return y.addmm_(inner, all_b().t(), 1, lora_scale_ * pass.adapter_scale);
}

bool Projection::has_adapters() const {
  return std::ranges::any_of(parts_, [](const ProjectionPart& part) { return part.a.defined(); });
}

Tensor Projection::all_a() const {
  std::vector<Tensor> list;
  for (const auto& part : parts_) {
    if (part.a.defined()) list.push_back(part.a);
  }
  return list.size() == 1 ? list.front() : torch::cat(list);
}

/// [outputs, ranks of all adapters]: block-diagonal, so that one product serves all parts.
Tensor Projection::all_b() const {
  if (parts_.size() == 1) return parts_.front().b;
  std::int64_t ranks = 0, column = 0;
  for (const auto& part : parts_) ranks += part.a.defined() ? part.a.size(0) : 0;
  std::vector<Tensor> rows;
  for (const auto& part : parts_) {
    if (!part.b.defined()) {
      rows.push_back(torch::zeros({part.weight.size(0), ranks}, part.weight.options()));
      continue;
    }
    rows.push_back(torch::constant_pad_nd(part.b, {column, ranks - column - part.b.size(1)}));
    column += part.b.size(1);
  }
  return torch::cat(rows);
}

void Projection::add_adapters(const TuningOptions& options) {
  lora_scale_ = options.lora.scale();
  const auto rank = options.lora.rank;
  for (auto& part : parts_) {
    if (!is_target(options.lora, kind_of(part.name))) continue;
    const auto device = part.weight.device();
    part.a = first_a(options.seed, part.tensor(), rank, part.weight.size(1)).to(device).requires_grad_(true);
    part.b = torch::zeros({part.weight.size(0), rank}, part.weight.options()).requires_grad_(true);
  }
}

void Projection::thaw() {
  for (auto& part : parts_) {
    part.weight = part.weight.clone().requires_grad_(true);
    if (part.bias.defined()) part.bias.requires_grad_(true);
  }
  joined_ = joined_bias_ = Tensor();
}

Tensor Projection::merged(const ProjectionPart& part, double scale) const {
  const torch::NoGradGuard no_grad;
  if (!part.a.defined() || scale == 0) return part.weight.detach();
  return torch::addmm(part.weight, part.b, part.a, 1, lora_scale_ * scale).detach();
}

}  // namespace valence
