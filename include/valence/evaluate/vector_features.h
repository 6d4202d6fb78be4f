#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/evaluate/definitions.h"
#include "valence/evaluate/features.h"
#include "valence/model/embedder.h"

namespace valence {

/// What a vector of a prompt and a response is made of.
enum class VectorKind {
  kBoth,         ///< the prompt's vector, then the response's
  kPrompt,       ///< the prompt's
  kResponse,     ///< the response's
  kSentences,    ///< mean and greatest entry over the vectors of the response's sentences
  kStates,       ///< of a decoder that reads prompt and response: mean of its states over the response
  kDefinitions,  ///< per value of a space: likeness of prompt, response and sentences to what the value means
};

/// A family of vectors by name: "minilm", "minilm_response", "vectors:NAME", "states:smollm2@15", "definitions:minilm".
struct VectorSource {
  VectorKind kind = VectorKind::kBoth;
  std::string model;      ///< registry name or path of a GGUF file
  std::size_t layer = 0;  ///< kStates: block whose output is taken

  bool operator==(const VectorSource&) const = default;
};

/// Nothing when `id` names no vectors (words, or nothing at all). Fails with kUsage on "states:" without a layer.
Result<std::optional<VectorSource>> parse_vector_source(std::string_view id);

/// How vectors are computed and kept.
struct VectorOptions {
  EngineOptions engine;
  EmbedKeeping keeping;  ///< for texts that are prepared; what is read in passing is remembered in memory only
  std::stop_token stop;
  Progress* progress = nullptr;  ///< of computing; null: none is shown
};

/// The vectors of `source`, by a model that is open. Texts are remembered, so that each is computed once, however many
/// folds it is in. `definitions`: of kDefinitions, else not looked at.
///
/// kStates reads "Human: PROMPT\nBob: RESPONSE" and averages over the response's tokens, never over the first token of
/// all. A text longer than the model's limit loses its end, but the prompt never takes more than half of the limit.
Result<TextEmbedding> vector_embedding(std::string_view id, const VectorSource& source,
                                       std::shared_ptr<Embedder> embedder, const VectorOptions& options,
                                       const ValueDefinitions& definitions = {});

/// The families called `ids`: those of words, and those of vectors with their models opened. Fails with kNotFound on
/// an unknown name, naming the nearest, and with what the registry says of a model that is not here. `space`: whose
/// values `definitions` speaks of.
Result<FeatureFamilies> open_feature_families(std::span<const std::string> ids, std::string_view space,
                                              const VectorOptions& options = {});

/// Has the vectors of all texts computed and kept, in their order, before folds ask for parts of them.
Result<void> prepare_features(const FeatureFamilies& families, std::span<const PromptedText> texts);

}  // namespace valence
