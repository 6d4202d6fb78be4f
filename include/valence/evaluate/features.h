#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/evaluate/labelled.h"

namespace valence {

/// Numbers that describe texts, one row each, zeros left out (compressed rows); dense blocks simply leave none out.
struct FeatureMatrix {
  std::size_t rows = 0, columns = 0;
  std::vector<std::size_t> starts = {0};  ///< of each row in `column` and `value`, and the end
  std::vector<std::uint32_t> column;      ///< increasing within a row
  std::vector<float> value;

  /// Appends a row; columns in increasing order.
  void add_row(std::span<const std::uint32_t> columns_of_row, std::span<const float> values_of_row);
  bool is_dense() const { return rows > 0 && value.size() * 2 > rows * columns; }
  FeatureMatrix rows_of(std::span<const std::size_t> which) const;
};

/// A matrix from `rows` rows of `columns` numbers. Fails with kWrongCount when they are not that many, with kInvalid on
/// one that is not finite.
Result<FeatureMatrix> dense_features(std::size_t rows, std::size_t columns, std::span<const float> values);

/// Blocks of equally many rows, put beside each other (asserted).
FeatureMatrix beside(std::span<const FeatureMatrix> blocks);

/// Features fitted to training texts: a vocabulary, means and scales.
class FeatureMap {
 public:
  virtual ~FeatureMap() = default;
  virtual std::size_t columns() const = 0;
  virtual Result<FeatureMatrix> apply(std::span<const PromptedText> texts) const = 0;
  /// What a column stands for, for people: "not acceptable".
  virtual std::string column_name(std::size_t column) const = 0;
  /// Everything that FeatureFamily::restore needs.
  virtual Json state() const = 0;
};

/// A way of describing texts, by name. Rows of a fitted block have a mean squared length of about 1, so that blocks put
/// beside each other weigh alike and a penalty means the same everywhere.
class FeatureFamily {
 public:
  virtual ~FeatureFamily() = default;
  virtual std::string id() const = 0;    ///< "tfidf"
  virtual std::string help() const = 0;  ///< one line
  virtual Result<std::unique_ptr<FeatureMap>> fit(std::span<const PromptedText> texts) const = 0;
  /// From a file's state: foreign, so everything is checked; kCorrupt or kMismatch otherwise.
  virtual Result<std::unique_ptr<FeatureMap>> restore(const Json& state) const = 0;
};

using FeatureFamilies = std::vector<std::shared_ptr<const FeatureFamily>>;

/// The families that need no language model. Those that do (embeddings, hidden states) are added by who has the model.
Result<FeatureFamilies> text_feature_families();

/// The family called `id`, or kNotFound naming what there is.
Result<std::shared_ptr<const FeatureFamily>> find_family(const FeatureFamilies& families, std::string_view id);

/// Vectors of texts from a model that this area knows nothing about. `embed` gives one vector of `width` numbers per
/// text, in one row each, and keeps what it computed if computing it is dear: the same texts come once per fold.
struct TextEmbedding {
  std::string id;  ///< of the family: "minilm"
  std::string help;
  std::string identity;  ///< of model and pooling; a saved evaluator refuses another
  std::size_t width = 0;
  std::function<Result<std::vector<float>>(std::span<const PromptedText>)> embed;
};

/// Standardised by the training texts, then divided by the root of the width.
std::shared_ptr<const FeatureFamily> embedding_family(TextEmbedding embedding);

}  // namespace valence
