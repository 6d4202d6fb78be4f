#pragma once

#include <torch/torch.h>

#include <set>
#include <span>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/open.h"
#include "valence/model/tensors.h"

namespace valence {

/// LoRA files whose products are added to a model's matrices, W + s·(alpha / rank)·B·A, as llama.cpp applies them: what
/// a subject with adapters is, as weights.
class AdapterSum {
 public:
  /// kMismatch for an adapter of another architecture, kUnsupported for one that is no LoRA (no alpha, a tensor that is
  /// no half of a pair); whatever read_gguf_header says.
  static Result<AdapterSum> open(std::span<const AdapterSpec> adapters, const std::string& architecture);

  /// Adds what the adapters hold for the matrix `name`, [outputs, inputs]. kMismatch where the sizes differ.
  Result<void> add_to(torch::Tensor& matrix, const std::string& name);
  /// kMismatch, naming a matrix that an adapter changes and the model does not have.
  Result<void> check_all_added() const;

 private:
  struct Part {
    TensorReader reader;
    double scale;
    std::set<std::string> left;  ///< matrices not yet added to
  };
  std::vector<Part> parts_;
};

}  // namespace valence
