#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/features.h"
#include "valence/evaluate/labelled.h"

namespace valence {

/// Probabilities of opposed, unrelated and upheld.
struct ClassProbabilities {
  std::size_t rows = 0, dims = 0;
  std::vector<double> values;  ///< [row][dimension][class]

  std::span<const double> at(std::size_t row, std::size_t dim) const {
    return std::span(values).subspan((row * dims + dim) * kLabelClasses, kLabelClasses);
  }
  /// The soft value p(+1) − p(−1), in [−1, 1].
  double soft(std::size_t row, std::size_t dim) const { return at(row, dim)[2] - at(row, dim)[0]; }
};

enum class HeadKind {
  kRidge,     ///< least squares on −1, 0, +1; probabilities by a proportional-odds link on leave-prompt-out scores
  kLogistic,  ///< multinomial, "unrelated" as base class
  kOrdinal,   ///< proportional odds (McCullagh 1980): one score, two cuts
  kMlp,       ///< one hidden layer of rectified units, multinomial outputs, early stopping, mean of several fits
};

std::string_view to_string(HeadKind kind);  ///< "ridge", "logistic", "ordinal", "mlp"
Result<HeadKind> head_kind(std::string_view name);

struct HeadOptions {
  HeadKind kind = HeadKind::kLogistic;
  double l2 = 0.1;         ///< penalty l2/2·|w|² beside the summed loss (ridge: l2·|w|² beside squared errors); > 0
  std::uint64_t seed = 1;  ///< kMlp: weights, order, inner split
  std::size_t hidden = 128;     ///< kMlp: units
  std::size_t members = 5;      ///< kMlp: fits whose probabilities are averaged, each with an inner split of its own
  std::size_t epochs = 60;      ///< kMlp: at most
  std::size_t patience = 6;     ///< kMlp: epochs without a better inner loss before it stops
  std::size_t batch = 64;       ///< kMlp: rows
  double learning_rate = 1e-3;  ///< kMlp: of Adam (Kingma and Ba 2015)
  double dropout = 0.3;         ///< kMlp: share of hidden units left out
  double inner_share = 0.15;    ///< kMlp: share of prompts kept for stopping, never of the rows that are predicted
};

/// y = x·W + b.
struct AffineLayer {
  std::size_t inputs = 0, outputs = 0;
  std::vector<float> weights;  ///< [input][output]
  std::vector<float> bias;     ///< [output]
};

/// Layers with rectification between them.
struct Network {
  std::vector<AffineLayer> layers;
};

/// A fitted head: data only, so that it can be stored.
struct Head {
  HeadKind kind = HeadKind::kLogistic;
  std::size_t dims = 0;
  float input_scale = 1.0F;  ///< every feature is multiplied by it
  std::vector<Network>
      members;  ///< outputs [dimension][2] (opposed and upheld against unrelated), or [dimension] where ordered
  /// Ordered heads (ridge, ordinal): P(−1) = σ(low − slope·s), P(≤ 0) = σ(high − slope·s), per dimension.
  std::vector<double> slope, low_cut, high_cut;

  bool is_ordered() const { return kind == HeadKind::kRidge || kind == HeadKind::kOrdinal; }
  std::size_t inputs() const { return members.empty() ? 0 : members.front().layers.front().inputs; }
};

/// Fits a head. `labels`: [row][dimension]; `prompts`: one id per row: rows of one prompt stay together in inner
/// splits. The same inputs and options give the same bits on one machine. Fails with kWrongCount when sizes do not fit
/// or there are fewer than two prompts, with kInvalid on options out of range.
Result<Head> fit_head(const FeatureMatrix& features, std::span<const ValueLabel> labels, std::size_t dims,
                      std::span<const std::size_t> prompts, const HeadOptions& options);

/// Fails with kMismatch when the features are not as many as the head was fitted on.
Result<ClassProbabilities> predict(const Head& head, const FeatureMatrix& features);

}  // namespace valence
