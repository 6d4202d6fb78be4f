#include <cmath>
#include <nlohmann/json.hpp>

#include "state.h"
#include "valence/evaluate/features.h"

namespace valence {
namespace {

/// Mean and 1/(standard deviation·√width) of each number; a number that never varies is scaled to 0.
struct ColumnScaling {
  std::vector<float> mean, scale;
};

ColumnScaling scaling_of(std::span<const float> vectors, std::size_t width) {
  const auto rows = static_cast<double>(vectors.size() / width);
  std::vector<double> sums(width, 0.0), squares(width, 0.0);
  for (std::size_t i = 0; i < vectors.size(); ++i) sums[i % width] += static_cast<double>(vectors[i]) / rows;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const double deviation = static_cast<double>(vectors[i]) - sums[i % width];
    squares[i % width] += deviation * deviation / rows;
  }
  ColumnScaling scaling;
  for (std::size_t c = 0; c < width; ++c) {
    scaling.mean.push_back(static_cast<float>(sums[c]));
    const double spread = std::sqrt(squares[c] * static_cast<double>(width));
    scaling.scale.push_back(squares[c] > 1e-18 ? static_cast<float>(1.0 / spread) : 0.0F);
  }
  return scaling;
}

Result<std::vector<float>> embed_texts(const TextEmbedding& embedding, std::span<const PromptedText> texts) {
  VALENCE_TRY(auto vectors, embedding.embed(texts));
  if (vectors.size() == texts.size() * embedding.width) return vectors;
  return fail(ErrorCode::kWrongCount, "features {}: {} texts gave {} numbers, expected {} each", embedding.id,
              texts.size(), vectors.size(), embedding.width);
}

class EmbeddingMap : public FeatureMap {
 public:
  EmbeddingMap(TextEmbedding embedding, ColumnScaling scaling)
      : embedding_(std::move(embedding)), scaling_(std::move(scaling)) {}

  std::size_t columns() const override { return embedding_.width; }
  std::string column_name(std::size_t column) const override { return fmt::format("{} {}", embedding_.id, column); }

  Json state() const override {
    return {{"identity", embedding_.identity}, {"mean", scaling_.mean}, {"scale", scaling_.scale}};
  }

  Result<FeatureMatrix> apply(std::span<const PromptedText> texts) const override {
    VALENCE_TRY(auto vectors, embed_texts(embedding_, texts));
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      const auto c = i % embedding_.width;
      vectors[i] = (vectors[i] - scaling_.mean[c]) * scaling_.scale[c];
    }
    return dense_features(texts.size(), embedding_.width, vectors);
  }

 private:
  TextEmbedding embedding_;
  ColumnScaling scaling_;
};

class EmbeddingFamily : public FeatureFamily {
 public:
  explicit EmbeddingFamily(TextEmbedding embedding) : embedding_(std::move(embedding)) {}

  std::string id() const override { return embedding_.id; }
  std::string help() const override { return embedding_.help; }

  Result<std::unique_ptr<FeatureMap>> fit(std::span<const PromptedText> texts) const override {
    VALENCE_TRY(const auto vectors, embed_texts(embedding_, texts));
    VALENCE_TRY(const auto checked, dense_features(texts.size(), embedding_.width, vectors));
    return std::make_unique<EmbeddingMap>(embedding_, scaling_of(checked.value, embedding_.width));
  }

  Result<std::unique_ptr<FeatureMap>> restore(const Json& state) const override {
    VALENCE_TRY(const auto identity, state_string(state, "identity"));
    if (identity != embedding_.identity) {
      return fail(ErrorCode::kMismatch, "the evaluator was trained on vectors of {}, these are of {}", identity,
                  embedding_.identity);
    }
    ColumnScaling scaling;
    VALENCE_TRY(scaling.mean, state_floats(state, "mean", embedding_.width));
    VALENCE_TRY(scaling.scale, state_floats(state, "scale", embedding_.width));
    return std::make_unique<EmbeddingMap>(embedding_, std::move(scaling));
  }

 private:
  TextEmbedding embedding_;
};

}  // namespace

std::shared_ptr<const FeatureFamily> embedding_family(TextEmbedding embedding) {
  return std::make_shared<EmbeddingFamily>(std::move(embedding));
}

}  // namespace valence
