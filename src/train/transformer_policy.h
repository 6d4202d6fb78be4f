#pragma once

#include <memory>

#include "policy.h"
#include "transformer.h"

namespace valence::train {

/// A linear head from states to one number, trained from zero beside the adapter and kept in a file of its own.
enum class LinearHead {
  kNone,
  kReward,  ///< of a whole answer, read off its last token; head.safetensors, tensor "head.weight"
  kValue    ///< of every beginning of an answer; value_head.safetensors, tensor "value_head.weight"
};

/// A transformer under training, seen as a policy; the adapter at scale 0 is its reference. With all weights trained it
/// has none, and reference_logprobs are those of the weights as they now are.
class TransformerPolicy final : public Policy {
 public:
  /// `name`: of the base model, for what is exported.
  TransformerPolicy(std::unique_ptr<Transformer> transformer, std::string name, LinearHead head);

  Result<torch::Tensor> logprobs(std::span<const AnswerPath* const> paths) override;
  Result<PolicyReading> read(std::span<const AnswerPath* const> paths, bool with_entropy) override;
  Result<torch::Tensor> reference_logprobs(std::span<const AnswerPath* const> paths) override;
  Result<torch::Tensor> rewards(std::span<const AnswerPath* const> paths) override;
  std::size_t cost(std::span<const AnswerPath* const> paths) const override;
  std::vector<std::pair<std::string, torch::Tensor>> parameters() override;
  void set_training(bool on, std::size_t step) override;
  /// adapter.gguf, which stock llama.cpp loads (model.gguf, in f32, with all weights trained), and the head.
  Result<std::filesystem::path> save(const std::filesystem::path& folder) override;

  Transformer& transformer() { return *transformer_; }

 private:
  Result<void> save_head(const std::filesystem::path& path) const;

  std::unique_ptr<Transformer> transformer_;
  std::string name_;
  LinearHead kind_;
  torch::Tensor head_;  // [width]; undefined without one
};

}  // namespace valence::train
