#include "valence/evaluate/cross_validate.h"

#include <algorithm>
#include <array>

#include "valence/base/text.h"

namespace valence {
namespace {

std::vector<std::string> responders_of(const LabelledData& data) {
  std::vector<std::string> responders;
  for (const auto& row : data.rows) responders.push_back(row.responder);
  return responders;
}

/// Everything but what an evaluator says.
HeldOut unanswered(const LabelledData& data, std::string evaluator) {
  HeldOut held;
  held.evaluator = std::move(evaluator);
  held.dims = data.dims();
  held.prompts = prompt_keys(data.rows);
  held.responders = responders_of(data);
  held.labels = labels_of(data.rows);
  held.decided.assign(held.labels.size(), 0);
  held.probabilities = {data.rows.size(), data.dims(), std::vector<double>(held.labels.size() * kLabelClasses, 0.0)};
  return held;
}

void put_cell(HeldOut& held, std::size_t row, std::size_t dim, ValueLabel decided,
              std::span<const double> probabilities) {
  const auto cell = row * held.dims + dim;
  held.decided[cell] = decided;
  std::copy(probabilities.begin(), probabilities.end(),
            held.probabilities.values.begin() + static_cast<std::ptrdiff_t>(cell * kLabelClasses));
}

Result<void> answer(const Evaluator& evaluator, const LabelledData& data, std::span<const std::size_t> rows,
                    HeldOut& held) {
  VALENCE_TRY(const auto probabilities, evaluator.evaluate(texts_of(data.subset(rows).rows)));
  const auto decided = decide(probabilities, evaluator.thresholds());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t d = 0; d < held.dims; ++d)
      put_cell(held, rows[i], d, decided[i * held.dims + d], probabilities.at(i, d));
  }
  return {};
}

std::array<double, kLabelClasses> class_shares(const LabelledData& data, std::span<const std::size_t> rows,
                                               std::size_t dim) {
  std::array<double, kLabelClasses> shares{};
  for (const auto row : rows) shares[class_of(data.rows[row].labels[dim])] += 1.0 / static_cast<double>(rows.size());
  return shares;
}

std::vector<std::size_t> part_of_training(const std::vector<std::string>& prompts, const std::vector<std::size_t>& rows,
                                          double share, std::uint64_t seed) {
  std::vector<std::size_t> part;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(part),
               [&](auto row) { return is_held_out(prompts[row], share, seed); });
  return part;
}

Result<LearningPoint> learn_from_part(const LabelledData& data, const Folds& folds, const FeatureFamilies& families,
                                      const EvaluatorRecipe& recipe, double share, Progress& progress,
                                      const std::stop_token& stop) {
  LearningPoint point{share, 0.0, unanswered(data, describe(recipe))};
  for (std::size_t fold = 0; fold < folds.count; ++fold) {
    const auto rows = part_of_training(point.held_out.prompts, folds.outside(fold), share, recipe.seed);
    auto evaluator = train_evaluator(data.subset(rows), families, recipe, progress, stop);
    if (!evaluator) return tl::unexpected(with_context(evaluator.error(), folds.names[fold]));
    VALENCE_CHECK(answer(*evaluator, data, folds.inside(fold), point.held_out));
    point.mean_rows += static_cast<double>(rows.size()) / static_cast<double>(folds.count);
  }
  return point;
}

}  // namespace

HeldOut HeldOut::subset(std::span<const std::size_t> which) const {
  HeldOut part{evaluator, dims, {}, {}, {}, {}, {which.size(), dims, {}}};
  for (const auto row : which) {
    part.prompts.push_back(prompts[row]);
    part.responders.push_back(responders[row]);
    for (std::size_t d = 0; d < dims; ++d) {
      part.labels.push_back(labels[row * dims + d]);
      part.decided.push_back(decided[row * dims + d]);
      const auto p = probabilities.at(row, d);
      part.probabilities.values.insert(part.probabilities.values.end(), p.begin(), p.end());
    }
  }
  return part;
}

Result<HeldOut> cross_validate(const LabelledData& data, const Folds& folds, const FeatureFamilies& families,
                               const EvaluatorRecipe& recipe, Progress& progress, const std::stop_token& stop) {
  VALENCE_TRY(auto point, learn_from_part(data, folds, families, recipe, 1.0, progress, stop));
  return std::move(point.held_out);
}

std::vector<std::size_t> unseen_rows(const Evaluator& evaluator, const LabelledData& data) {
  const auto& seen = evaluator.provenance().fitted_on;
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < data.rows.size(); ++row) {
    if (!std::binary_search(seen.begin(), seen.end(), response_id(data.rows[row].text))) rows.push_back(row);
  }
  return rows;
}

Result<HeldOut> hold_out(const Evaluator& evaluator, const LabelledData& data) {
  if (evaluator.space() != data.names.space || evaluator.dimensions() != data.names.dimensions) {
    return fail(ErrorCode::kMismatch, "the evaluator speaks of {}, the labels of {}", evaluator.space(),
                data.names.space);
  }
  const auto unseen = unseen_rows(evaluator, data);
  if (unseen.size() != data.rows.size()) {
    return fail(ErrorCode::kMismatch,
                "the evaluator was fitted on {} of these {} responses, so its figures there would flatter it",
                data.rows.size() - unseen.size(), data.rows.size());
  }
  auto held = unanswered(data, describe(evaluator.recipe()));
  VALENCE_CHECK(answer(evaluator, data, unseen, held));
  return held;
}

HeldOut trivial_held_out(const LabelledData& data, const Folds& folds, TrivialEvaluator kind) {
  constexpr std::array kNames{"all unrelated", "majority per dimension", "always upheld"};
  auto held = unanswered(data, kNames[static_cast<std::size_t>(kind)]);
  for (std::size_t fold = 0; fold < folds.count; ++fold) {
    const auto train = folds.outside(fold);
    for (std::size_t d = 0; d < held.dims; ++d) {
      const auto shares = class_shares(data, train, d);
      const auto majority = static_cast<std::size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
      const std::size_t taken = kind == TrivialEvaluator::kAllUnrelated   ? 1
                                : kind == TrivialEvaluator::kAlwaysUpheld ? 2
                                                                          : majority;
      std::array<double, kLabelClasses> certain{};
      certain[taken] = 1.0;
      for (const auto row : folds.inside(fold)) put_cell(held, row, d, label_of(taken), certain);
    }
  }
  return held;
}

std::string describe(const EvaluatorRecipe& recipe) {
  std::vector<std::string> parts;
  for (const auto& part : recipe.parts)
    parts.push_back(fmt::format("{}, {}", join(part.features, " + "), to_string(part.head.kind)));
  if (recipe.sharpness != 1.0 || !recipe.sharpness_grid.empty()) parts.push_back("sharpened");
  return join(parts, "; ");
}

Result<std::vector<LearningPoint>> learning_curve(const LabelledData& data, const Folds& folds,
                                                  const FeatureFamilies& families, const EvaluatorRecipe& recipe,
                                                  std::span<const double> shares, Progress& progress,
                                                  const std::stop_token& stop) {
  std::vector<LearningPoint> curve;
  for (const double share : shares) {
    VALENCE_TRY(auto point, learn_from_part(data, folds, families, recipe, share, progress, stop));
    curve.push_back(std::move(point));
  }
  return curve;
}

}  // namespace valence
