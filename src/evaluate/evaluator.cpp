#include "valence/evaluate/evaluator.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "valence/evaluate/folds.h"
#include "valence/stats/resample.h"

namespace valence {
namespace {

Result<FeatureMatrix> apply_blocks(const std::vector<Evaluator::Block>& blocks, std::span<const PromptedText> texts) {
  std::vector<FeatureMatrix> matrices;
  for (const auto& block : blocks) {
    VALENCE_TRY(auto matrix, block.map->apply(texts));
    matrices.push_back(std::move(matrix));
  }
  return matrices.size() == 1 ? std::move(matrices.front()) : beside(matrices);
}

Result<std::vector<Evaluator::Block>> fit_blocks(const FeatureFamilies& families, const std::vector<std::string>& ids,
                                                 std::span<const PromptedText> texts) {
  std::vector<Evaluator::Block> blocks;
  for (const auto& id : ids) {
    VALENCE_TRY(const auto family, find_family(families, id));
    VALENCE_TRY(auto map, family->fit(texts));
    blocks.push_back({id, std::move(map)});
  }
  if (blocks.empty()) return fail(ErrorCode::kUsage, "an evaluator needs features; name at least one family");
  return blocks;
}

std::vector<double> penalties_of(const EvaluatorRecipe& recipe) {
  return recipe.l2_grid.empty() ? std::vector{recipe.head.l2} : recipe.l2_grid;
}

bool needs_inner_folds(const EvaluatorRecipe& recipe) {
  return recipe.thresholds.goal != TuningGoal::kNone || penalties_of(recipe).size() > 1;
}

Result<void> check_stop(const std::stop_token& stop) {
  if (!stop.stop_requested()) return {};
  return fail(ErrorCode::kStopped, "stopped while training; nothing was written");
}

/// Fits and counts.
struct Fitting {
  const LabelledData& data;
  std::vector<std::size_t> prompts;  ///< id of each row's
  Progress& progress;
  const std::stop_token& stop;

  Result<Head> fit(const FeatureMatrix& features, std::span<const std::size_t> rows, const HeadOptions& options) const {
    VALENCE_CHECK(check_stop(stop));
    std::vector<std::size_t> prompts_of_rows;
    for (const auto row : rows) prompts_of_rows.push_back(prompts[row]);
    auto head = fit_head(features, labels_of(data.subset(rows).rows), data.dims(), prompts_of_rows, options);
    progress.advance(1);
    return head;
  }
};

void put_rows(const ClassProbabilities& from, std::span<const std::size_t> rows, ClassProbabilities& into) {
  const auto width = from.dims * kLabelClasses;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(from.values.begin() + static_cast<std::ptrdiff_t>(i * width), width,
                into.values.begin() + static_cast<std::ptrdiff_t>(rows[i] * width));
  }
}

double log_loss(const ClassProbabilities& probabilities, std::span<const ValueLabel> labels) {
  double loss = 0.0;
  for (std::size_t cell = 0; cell < labels.size(); ++cell) {
    const auto p = probabilities.at(cell / probabilities.dims, cell % probabilities.dims);
    loss -= std::log(std::max(p[class_of(labels[cell])], 1e-12));
  }
  return loss;
}

struct InnerChoice {
  double l2;
  Thresholds thresholds;
};

/// Held-out probabilities of all rows for every penalty.
Result<std::vector<ClassProbabilities>> inner_predictions(const Fitting& fitting, const FeatureFamilies& families,
                                                          const EvaluatorRecipe& recipe) {
  const auto& data = fitting.data;
  const auto penalties = penalties_of(recipe);
  const auto cells = data.rows.size() * data.dims() * kLabelClasses;
  std::vector<ClassProbabilities> held(penalties.size(),
                                       {data.rows.size(), data.dims(), std::vector<double>(cells, 0.0)});
  VALENCE_TRY(const auto folds, grouped_folds(prompt_keys(data.rows), recipe.inner_folds, recipe.seed));
  for (std::size_t fold = 0; fold < folds.count; ++fold) {
    const auto train = folds.outside(fold), test = folds.inside(fold);
    const auto train_texts = texts_of(data.subset(train).rows), test_texts = texts_of(data.subset(test).rows);
    VALENCE_TRY(const auto blocks, fit_blocks(families, recipe.features, train_texts));
    VALENCE_TRY(const auto train_features, apply_blocks(blocks, train_texts));
    VALENCE_TRY(const auto test_features, apply_blocks(blocks, test_texts));
    for (std::size_t i = 0; i < penalties.size(); ++i) {
      auto options = recipe.head;
      options.l2 = penalties[i];
      VALENCE_TRY(const auto head, fitting.fit(train_features, train, options));
      VALENCE_TRY(const auto probabilities, predict(head, test_features));
      put_rows(probabilities, test, held[i]);
    }
  }
  return held;
}

Result<InnerChoice> choose(const Fitting& fitting, const FeatureFamilies& families, const EvaluatorRecipe& recipe) {
  if (!needs_inner_folds(recipe))
    return InnerChoice{penalties_of(recipe).front(), Thresholds::none(fitting.data.dims())};
  VALENCE_TRY(const auto held, inner_predictions(fitting, families, recipe));
  const auto labels = labels_of(fitting.data.rows);
  std::size_t best = 0;
  for (std::size_t i = 1; i < held.size(); ++i) {
    if (log_loss(held[i], labels) < log_loss(held[best], labels)) best = i;
  }
  VALENCE_TRY(auto thresholds, tune_thresholds(held[best], labels, recipe.thresholds));
  return InnerChoice{penalties_of(recipe)[best], std::move(thresholds)};
}

EvaluatorProvenance provenance_of(const LabelledData& data, const std::vector<std::size_t>& prompts) {
  EvaluatorProvenance provenance;
  provenance.rows = data.rows.size();
  provenance.prompts = stats::count_draws(prompts.size(), prompts);
  std::map<std::string, std::size_t> responders;
  for (const auto& row : data.rows) {
    provenance.fitted_on.push_back(response_id(row.text));
    ++responders[row.responder];
  }
  std::sort(provenance.fitted_on.begin(), provenance.fitted_on.end());
  provenance.responders.assign(responders.begin(), responders.end());
  return provenance;
}

std::vector<std::size_t> all_rows(std::size_t count) {
  std::vector<std::size_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = i;
  return rows;
}

}  // namespace

Evaluator::Evaluator(std::string space, std::vector<std::string> dimensions, EvaluatorRecipe recipe,
                     std::vector<Block> blocks, Head head, Thresholds thresholds, EvaluatorProvenance provenance)
    : space_(std::move(space)),
      dimensions_(std::move(dimensions)),
      recipe_(std::move(recipe)),
      blocks_(std::move(blocks)),
      head_(std::move(head)),
      thresholds_(std::move(thresholds)),
      provenance_(std::move(provenance)) {}

Result<FeatureMatrix> Evaluator::features(std::span<const PromptedText> texts) const {
  return apply_blocks(blocks_, texts);
}

Result<ClassProbabilities> Evaluator::evaluate(std::span<const PromptedText> texts) const {
  VALENCE_TRY(const auto matrix, features(texts));
  return predict(head_, matrix);
}

std::size_t fits_of(const EvaluatorRecipe& recipe) {
  return 1 + (needs_inner_folds(recipe) ? recipe.inner_folds * penalties_of(recipe).size() : 0);
}

Result<Evaluator> train_evaluator(const LabelledData& data, const FeatureFamilies& families,
                                  const EvaluatorRecipe& recipe, Progress& progress, const std::stop_token& stop) {
  const Fitting fitting{data, stats::cluster_ids(prompt_keys(data.rows)), progress, stop};
  VALENCE_TRY(auto choice, choose(fitting, families, recipe));
  auto chosen = recipe;
  chosen.head.l2 = choice.l2;
  const auto texts = texts_of(data.rows);
  VALENCE_TRY(auto blocks, fit_blocks(families, recipe.features, texts));
  VALENCE_TRY(const auto features, apply_blocks(blocks, texts));
  VALENCE_TRY(auto head, fitting.fit(features, all_rows(data.rows.size()), chosen.head));
  return Evaluator(data.names.space, data.names.dimensions, std::move(chosen), std::move(blocks), std::move(head),
                   std::move(choice.thresholds), provenance_of(data, fitting.prompts));
}

}  // namespace valence
