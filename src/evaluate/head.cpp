#include "valence/evaluate/head.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "fit.h"
#include "valence/base/names.h"
#include "valence/base/text.h"
#include "valence/stats/distribution.h"

namespace valence {
namespace {

constexpr Names<HeadKind, 4> kHeadNames{{{HeadKind::kRidge, "ridge"},
                                         {HeadKind::kLogistic, "logistic"},
                                         {HeadKind::kOrdinal, "ordinal"},
                                         {HeadKind::kMlp, "mlp"}}};

Result<void> check_sizes(const FeatureMatrix& features, std::span<const ValueLabel> labels, std::size_t dims,
                         std::span<const std::size_t> prompts) {
  if (dims == 0 || features.columns == 0 || labels.size() != features.rows * dims || prompts.size() != features.rows) {
    return fail(ErrorCode::kWrongCount,
                "{} rows of {} features and {} dimensions need {} labels and {} prompts; got {} and {}", features.rows,
                features.columns, dims, features.rows * dims, features.rows, labels.size(), prompts.size());
  }
  if (std::set<std::size_t>(prompts.begin(), prompts.end()).size() < 2) {
    return fail(ErrorCode::kWrongCount, "a head needs responses to at least 2 prompts to be fitted on");
  }
  return {};
}

Result<void> check_options(const HeadOptions& options) {
  const bool counts = options.hidden > 0 && options.members > 0 && options.epochs > 0 && options.batch > 0;
  const bool shares =
      options.dropout >= 0.0 && options.dropout < 1.0 && options.inner_share > 0.0 && options.inner_share < 1.0;
  if (options.l2 > 0.0 && std::isfinite(options.l2) && options.learning_rate > 0.0 && counts && shares) return {};
  return fail(ErrorCode::kInvalid,
              "a head's options are out of range: l2 {}, learning rate {}, hidden {}, members {}, epochs {}, batch {} "
              "should be above 0, dropout {} in [0, 1), inner share {} in (0, 1)",
              options.l2, options.learning_rate, options.hidden, options.members, options.epochs, options.batch,
              options.dropout, options.inner_share);
}

FitData fit_data(const FeatureMatrix& features, std::span<const ValueLabel> labels, std::size_t dims,
                 std::span<const std::size_t> prompts, double scale) {
  Eigen::ArrayXXi classes(static_cast<Eigen::Index>(features.rows), static_cast<Eigen::Index>(dims));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    classes(static_cast<Eigen::Index>(i / dims), static_cast<Eigen::Index>(i % dims)) =
        static_cast<int>(class_of(labels[i]));
  }
  return {features, scale, std::move(classes), {prompts.begin(), prompts.end()}};
}

/// Brings the entries that are there to a mean square of 1, whatever the family's scale and however sparse the rows
/// are: what a network's first layer expects. Linear heads keep the scale, since the penalty is meant on it.
double unit_scale(const FeatureMatrix& features) {
  double squares = 0.0;
  for (const auto x : features.value) squares += static_cast<double>(x) * static_cast<double>(x);
  return squares > 0.0 ? std::sqrt(static_cast<double>(features.value.size()) / squares) : 1.0;
}

Matrix weights_of(const AffineLayer& layer) {
  using Stored = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Stored>(layer.weights.data(), static_cast<Eigen::Index>(layer.inputs),
                                  static_cast<Eigen::Index>(layer.outputs))
      .cast<double>();
}

Vector bias_of(const AffineLayer& layer) {
  return Eigen::Map<const Eigen::VectorXf>(layer.bias.data(), static_cast<Eigen::Index>(layer.outputs)).cast<double>();
}

Matrix outputs_of(const Network& network, const DesignMatrix<double>& design) {
  Matrix values = design.times(weights_of(network.layers.front()));
  values.rowwise() += bias_of(network.layers.front()).transpose();
  for (std::size_t l = 1; l < network.layers.size(); ++l) {
    values = (values.cwiseMax(0.0) * weights_of(network.layers[l])).eval();
    values.rowwise() += bias_of(network.layers[l]).transpose();
  }
  return values;
}

std::array<double, kLabelClasses> cell_probabilities(const Head& head, const Matrix& outputs, Eigen::Index row,
                                                     std::size_t dim) {
  const auto d = static_cast<Eigen::Index>(dim);
  if (head.is_ordered())
    return ordered_probabilities(head.slope[dim] * outputs(row, d), {head.low_cut[dim], head.high_cut[dim]});
  const auto p = stats::softmax(std::array{outputs(row, kLogits * d), 0.0, outputs(row, kLogits * d + 1)});
  return {p[0], p[1], p[2]};
}

}  // namespace

std::string_view to_string(HeadKind kind) { return name_of(kHeadNames, kind); }
Result<HeadKind> head_kind(std::string_view name) { return value_of(kHeadNames, "head", name); }

Result<Head> fit_head(const FeatureMatrix& features, std::span<const ValueLabel> labels, std::size_t dims,
                      std::span<const std::size_t> prompts, const HeadOptions& options) {
  VALENCE_CHECK(check_sizes(features, labels, dims, prompts));
  VALENCE_CHECK(check_options(options));
  const double scale = options.kind == HeadKind::kMlp ? unit_scale(features) : 1.0;
  const auto data = fit_data(features, labels, dims, prompts, scale);
  auto head = options.kind == HeadKind::kRidge      ? fit_ridge(data, options)
              : options.kind == HeadKind::kLogistic ? fit_logistic(data, options)
              : options.kind == HeadKind::kOrdinal  ? fit_ordinal(data, options)
                                                    : fit_mlp(data, options);
  head.kind = options.kind;
  head.dims = dims;
  head.input_scale = static_cast<float>(scale);
  return head;
}

Result<ClassProbabilities> predict(const Head& head, const FeatureMatrix& features) {
  if (features.columns != head.inputs()) {
    return fail(ErrorCode::kMismatch, "the head was fitted on {} features, these texts have {}", head.inputs(),
                features.columns);
  }
  const DesignMatrix<double> design(features, static_cast<double>(head.input_scale));
  ClassProbabilities result{features.rows, head.dims,
                            std::vector<double>(features.rows * head.dims * kLabelClasses, 0.0)};
  for (const auto& member : head.members) {
    const auto outputs = outputs_of(member, design);
    for (std::size_t cell = 0; cell < features.rows * head.dims; ++cell) {
      const auto p = cell_probabilities(head, outputs, static_cast<Eigen::Index>(cell / head.dims), cell % head.dims);
      for (std::size_t c = 0; c < kLabelClasses; ++c)
        result.values[cell * kLabelClasses + c] += p[c] / static_cast<double>(head.members.size());
    }
  }
  return result;
}

}  // namespace valence
