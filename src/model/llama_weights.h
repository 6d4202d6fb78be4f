#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llama-cpp.h"
#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/model/gguf.h"
#include "valence/model/llama.h"
#include "valence/model/open.h"

namespace valence {

/// A loaded model in one compute format; shared by all bindings of a process, changed by none.
struct LlamaWeights {
  std::string format;  ///< as_is, q8_0, f16, f32
  std::string desc;    ///< the engine's own description
  llama_model_ptr model;

  const llama_vocab* vocab() const { return llama_model_get_vocab(model.get()); }
  /// Memories with a running state (Mamba, hybrids) refuse tokens that belong to several sequences.
  bool branches() const { return !llama_model_is_recurrent(model.get()) && !llama_model_is_hybrid(model.get()); }
};

/// A file that passed the validator, and its hash.
struct CheckedFile {
  std::filesystem::path path;
  Digest identity;
  GgufInfo info;
};
/// `identity` if it is known already, else the file is hashed.
Result<CheckedFile> check_model_file(const std::filesystem::path& path, std::optional<Digest> identity = std::nullopt);

/// The engine ends the process on models that it cannot decode with: kUnsupported for encoders and diffusion models.
Result<void> check_language(const LlamaWeights& weights, const CheckedFile& file);

/// Whether the file's tokens see only what stands before them; embedding models of BERT's family say that theirs do not.
bool is_causal(const GgufInfo& info);

/// Whether the engine may lay matrices out anew for its fastest products, which round a little differently.
enum class Layout { kFast, kPlain };

/// Loads `file` in `format`, or returns what this process has loaded already.
Result<std::shared_ptr<const LlamaWeights>> load_weights(const CheckedFile& file, std::string_view format, int gpu_layers,
                                                         Layout layout = Layout::kFast);

/// An adapter that is bound with a scale other than 0.
struct LlamaAdapter {
  Digest identity;
  float scale;
  llama_adapter_lora_ptr adapter;
};
Result<LlamaAdapter> load_adapter(const LlamaWeights& weights, std::string_view architecture, const AdapterSpec& spec);

}  // namespace valence
