#include <map>
#include <utility>

#include "valence/base/text.h"
#include "valence/evaluate/vector_features.h"

namespace valence {
namespace {

/// Embedders that are open, by model and layer: several families may share one.
class OpenEmbedders {
 public:
  explicit OpenEmbedders(const VectorOptions& options) : options_(options) {}

  Result<std::shared_ptr<Embedder>> get(const VectorSource& source) {
    auto& embedder = open_[{source.model, source.layer}];
    if (embedder) return embedder;
    EmbedderSpec spec;
    spec.name = source.model;
    spec.engine = options_.engine;
    spec.layer = source.layer;
    spec.normalise = source.kind != VectorKind::kStates;  // the length of a state tells something
    VALENCE_TRY(embedder, open_embedder(spec));
    return embedder;
  }

 private:
  const VectorOptions& options_;
  std::map<std::pair<std::string, std::size_t>, std::shared_ptr<Embedder>> open_;
};

Result<std::shared_ptr<const FeatureFamily>> vector_family(std::string_view id, const VectorSource& source,
                                                           std::string_view space, const VectorOptions& options,
                                                           OpenEmbedders& embedders) {
  ValueDefinitions definitions;
  if (source.kind == VectorKind::kDefinitions) {
    VALENCE_TRY(definitions, load_definitions(space));
  }
  VALENCE_TRY(auto embedder, embedders.get(source));
  VALENCE_TRY(auto embedding, vector_embedding(id, source, std::move(embedder), options, definitions));
  return embedding_family(std::move(embedding));
}

}  // namespace

Result<FeatureFamilies> open_feature_families(std::span<const std::string> ids, std::string_view space,
                                              const VectorOptions& options) {
  VALENCE_TRY(const auto words, text_feature_families());
  OpenEmbedders embedders(options);
  FeatureFamilies families;
  for (const auto& id : ids) {
    VALENCE_TRY(const auto source, parse_vector_source(id));
    auto family = source ? vector_family(id, *source, space, options, embedders) : find_family(words, id);
    if (!family)
      return tl::unexpected(source ? with_context(family.error(), fmt::format("features {}", id)) : family.error());
    families.push_back(*std::move(family));
  }
  return families;
}

Result<void> prepare_features(const FeatureFamilies& families, std::span<const PromptedText> texts) {
  for (const auto& family : families) {
    VALENCE_TRY(const auto map, family->fit(texts));
    VALENCE_CHECK(map->apply(texts));
  }
  return {};
}

}  // namespace valence
