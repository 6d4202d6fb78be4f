#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "lora.h"
#include "pass.h"
#include "weights.h"

namespace valence {

/// One matrix of the file inside a projection, with its adapter if it has one.
struct ProjectionPart {
  std::string name;      ///< "blk.0.attn_q"; ".weight" is the tensor
  torch::Tensor weight;  ///< [outputs, inputs]; a view of the joined matrix while it is frozen
  torch::Tensor bias;    ///< undefined if there is none
  torch::Tensor a, b;    ///< undefined if there is no adapter

  std::string tensor() const { return name + ".weight"; }
};

/// Matrices that read the same input, joined so that one product serves all: query, key and value; gate and up.
/// y = Wx + b + s·B·A·dropout(x), outputs of the parts one after another.
class Projection {
 public:
  /// The parts `names` with so many outputs each.
  static Result<Projection> load(WeightReader& file, const std::vector<std::string>& names,
                                 const std::vector<std::int64_t>& outputs, std::int64_t inputs);

  torch::Tensor forward(const torch::Tensor& x, const Pass& pass) const;

  /// Puts adapters on the parts that `options` names; their tensors are drawn from the seed and the part's name.
  void add_adapters(const TuningOptions& options);
  /// Makes the matrices and biases themselves trainable.
  void thaw();
  /// Keeps a copy of the frozen matrix in bfloat16 to multiply with.
  void prepare_bf16() { bf16_ = joined_.to(torch::kBFloat16); }

  const std::vector<ProjectionPart>& parts() const { return parts_; }
  /// The part's matrix with its adapter at strength `scale` merged in; what is trained is not changed.
  torch::Tensor merged(const ProjectionPart& part, double scale) const;

 private:
  torch::Tensor base(const torch::Tensor& x, const Pass& pass) const;
  bool has_adapters() const;
  torch::Tensor all_a() const;
  torch::Tensor all_b() const;

  std::vector<ProjectionPart> parts_;
  torch::Tensor joined_, joined_bias_;  ///< undefined once thawed
  torch::Tensor bf16_;
  double lora_scale_ = 0;
};

}  // namespace valence
