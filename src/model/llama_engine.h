#pragma once

#include <memory>
#include <vector>

#include "llama_context.h"
#include "llama_plan.h"
#include "llama_weights.h"
#include "valence/base/digest.h"
#include "valence/model/open.h"

namespace valence {

/// Weights in one format with their adapters, and the contexts that were last needed. Not shared between threads.
class Engine {
 public:
  enum class Use { kLanguage, kEmbedding };
  /// kUnsupported for models that the engine cannot put to that use.
  static Result<Engine> load(const CheckedFile& file, std::string_view format, const std::vector<AdapterSpec>& adapters,
                             const EngineOptions& options, Use use = Use::kLanguage);

  const LlamaWeights& weights() const { return *weights_; }
  /// A context that covers `shape`: the one at hand or a new one. Its memory may hold anything.
  Result<EngineContext*> context(const ContextShape& shape);

  /// Adds weights' format and adapters.
  void add_to_digest(Hasher& hasher) const;

 private:
  std::shared_ptr<const LlamaWeights> weights_;
  std::vector<LlamaAdapter> adapters_;
  std::unique_ptr<EngineContext> together_, apart_;  ///< by how their sequences lie
};

/// The options with every "chosen by us" replaced by what was chosen; kUsage for values out of range.
Result<EngineOptions> settle(EngineOptions options);

Result<Sharing> sharing_of(const EngineOptions& options);

}  // namespace valence
