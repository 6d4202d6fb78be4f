#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lora.h"
#include "shape.h"
#include "tree_batch.h"
#include "valence/base/result.h"
#include "valence/model/open.h"

namespace valence {

class TransformerWeights;

/// A tensor that the optimiser may change. `name` is the GGUF tensor's, with ".lora_a" or ".lora_b" for adapters.
struct Parameter {
  std::string name;
  torch::Tensor value;  ///< float32, requires_grad
};

/// An adapter on one matrix of the file: a is [rank, inputs], b is [outputs, rank]; rows as in the GGUF file.
struct AdapterPair {
  std::string tensor;  ///< "blk.0.attn_q.weight"
  torch::Tensor a, b;
};

struct TransformerOptions {
  TuningOptions tuning;
  std::vector<AdapterSpec> adapters;  ///< of the model that is trained on: added to the frozen weights
  torch::Device device = torch::kCPU;
  bool bf16 = false;           ///< products with frozen matrices in bfloat16 (check_machine decides)
  std::int64_t head_rows = 0;  ///< loss rows whose vocabulary is in memory at once; 0 = about 64 MB of logits
};

/// Log-probabilities of a pack's loss rows, in nats, in the order of TreePack::losses.
struct RowScores {
  torch::Tensor logprob;  ///< [losses], differentiable
  torch::Tensor entropy;  ///< [losses], of the row's distribution; never differentiable. Undefined unless asked for
};

/// A decoder with the weights of a GGUF file, dequantised, on which an adapter (or everything) can be trained.
///
/// Frozen weights take part in no weight gradient. Not shared between threads.
class Transformer {
 public:
  /// kUnsupported for architectures, tensors and devices that the trainer does not know, kMismatch for tensors whose
  /// shape is not what the head promises, kUsage for wrong options; whatever read_gguf_header says of a damaged file.
  static Result<std::unique_ptr<Transformer>> load(const std::filesystem::path& gguf,
                                                   const TransformerOptions& options);
  ~Transformer();

  const TransformerShape& shape() const;
  const std::filesystem::path& source() const;
  const TuningOptions& tuning() const;
  torch::Device device() const;
  bool bf16() const;  ///< TransformerOptions::bf16

  /// The states of all tokens after the last norm: [tokens, width]. What value and reward heads read; row LossRow::row
  /// is the state that a target is predicted from, row PackedPath::last the one of a whole path.
  torch::Tensor states(const TreePack& pack) const;

  /// The head at the loss rows only, the vocabulary in chunks of rows: log softmax at each target.
  RowScores score(const TreePack& pack, const torch::Tensor& states, bool with_entropy = false) const;
  RowScores score(const TreePack& pack, bool with_entropy = false) const {
    return score(pack, states(pack), with_entropy);
  }

  /// All logits of all tokens, [tokens, vocabulary]: for comparisons; memory grows with the vocabulary.
  torch::Tensor logits(const TreePack& pack) const;

  /// In the order of the file's blocks, the same in every process.
  std::vector<Parameter> parameters() const;
  /// Empty when everything is trained.
  std::vector<AdapterPair> adapters() const;
  /// Current values by GGUF name, adapters merged in at their scale: what a merged file holds.
  torch::Tensor merged(const std::string& tensor) const;

  /// The adapter's strength: 1 as trained, 0 = the base model, exactly. A reference model is this one at 0.
  void set_adapter_scale(double scale);
  double adapter_scale() const;

  /// Dropout is on in training only, and is a function of the seed and the step: a resumed run draws the same.
  void train(std::int64_t step);
  void evaluate();

 private:
  friend class AsReference;
  explicit Transformer(std::unique_ptr<TransformerWeights> weights);
  std::unique_ptr<TransformerWeights> weights_;
};

/// While it lives, the model with an adapter is its own reference: the adapter is off, dropout too, and no graph is
/// built.
class AsReference {
 public:
  explicit AsReference(Transformer& model);
  ~AsReference();
  AsReference(const AsReference&) = delete;
  AsReference& operator=(const AsReference&) = delete;

 private:
  Transformer& model_;
  double scale_, dropout_;
  torch::NoGradGuard no_grad_;
};

}  // namespace valence
