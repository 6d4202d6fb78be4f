#include "valence/evaluate/domain.h"

#include <algorithm>
#include <cmath>

#include "valence/stats/conformal.h"

namespace valence {
namespace {

std::vector<float> lengths_of(const FeatureMatrix& matrix) {
  std::vector<float> lengths(matrix.rows, 0.0F);
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    double sum = 0.0;
    for (auto i = matrix.starts[row]; i < matrix.starts[row + 1]; ++i)
      sum += static_cast<double>(matrix.value[i]) * matrix.value[i];
    lengths[row] = static_cast<float>(std::sqrt(sum));
  }
  return lengths;
}

}  // namespace

TrainingDomain::TrainingDomain(const Evaluator& evaluator, FeatureMatrix fitted)
    : evaluator_(&evaluator),
      rows_(fitted.rows),
      starts_(fitted.columns + 1, 0),
      row_(fitted.value.size()),
      value_(fitted.value.size()) {
  for (const auto column : fitted.column) ++starts_[column + 1];
  for (std::size_t c = 0; c < fitted.columns; ++c) starts_[c + 1] += starts_[c];
  auto next = starts_;
  const auto lengths = lengths_of(fitted);
  for (std::size_t row = 0; row < fitted.rows; ++row) {
    for (auto i = fitted.starts[row]; i < fitted.starts[row + 1]; ++i) {
      const auto place = next[fitted.column[i]]++;
      row_[place] = static_cast<std::uint32_t>(row);
      value_[place] = fitted.value[i] / lengths[row];
    }
  }
}

Result<TrainingDomain> TrainingDomain::of(const Evaluator& evaluator, std::span<const PromptedText> fitted,
                                          std::span<const PromptedText> calibration, double share) {
  if (fitted.empty())
    return fail(ErrorCode::kWrongCount,
                "the training domain of an evaluator needs the texts that it was fitted on, got none");
  VALENCE_TRY(auto features, evaluator.features(fitted));
  TrainingDomain domain(evaluator, std::move(features));
  VALENCE_TRY(const auto held, domain.distances(calibration));
  domain.limit_ = stats::conformal_quantile(held, share);
  if (std::isfinite(domain.limit_)) return domain;
  return fail(ErrorCode::kWrongCount, "{} texts are too few to say where {} % of an evaluator's domain ends",
              held.size(), share * 100.0);
}

Result<std::vector<double>> TrainingDomain::distances(std::span<const PromptedText> texts) const {
  std::vector<double> distances;
  if (texts.empty()) return distances;
  VALENCE_TRY(const auto features, evaluator_->features(texts));
  const auto lengths = lengths_of(features);
  std::vector<float> dots(rows_);
  for (std::size_t text = 0; text < features.rows; ++text) {
    std::ranges::fill(dots, 0.0F);
    for (auto i = features.starts[text]; i < features.starts[text + 1]; ++i) {
      const auto column = features.column[i];
      for (auto k = starts_[column]; k < starts_[column + 1]; ++k) dots[row_[k]] += features.value[i] * value_[k];
    }
    const auto nearest = lengths[text] > 0.0F ? *std::ranges::max_element(dots) / lengths[text] : 0.0F;
    distances.push_back(1.0 - static_cast<double>(nearest));
  }
  return distances;
}

}  // namespace valence
