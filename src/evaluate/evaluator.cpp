#include "valence/evaluate/evaluator.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <map>

#include "valence/evaluate/folds.h"
#include "valence/stats/distribution.h"
#include "valence/stats/resample.h"

namespace valence {
namespace {

constexpr double kLeast = 1e-12;  // keeps the logarithm of a probability of 0 finite

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

std::vector<std::size_t> all_rows(std::size_t count) {
  std::vector<std::size_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = i;
  return rows;
}

/// What the parts of an ensemble say together: p ∝ exp(sharpness · mean log p). Of one part as it is, itself.
ClassProbabilities pooled(std::span<const ClassProbabilities> parts, double sharpness) {
  if (parts.size() == 1 && sharpness == 1.0) return parts.front();
  ClassProbabilities together = parts.front();
  for (std::size_t first = 0; first < together.values.size(); first += kLabelClasses) {
    std::array<double, kLabelClasses> logs{};
    for (const auto& part : parts) {
      for (std::size_t c = 0; c < kLabelClasses; ++c)
        logs[c] += sharpness * std::log(std::max(part.values[first + c], kLeast)) / static_cast<double>(parts.size());
    }
    std::ranges::copy(stats::softmax(logs), together.values.begin() + static_cast<std::ptrdiff_t>(first));
  }
  return together;
}

std::vector<double> penalties_of(const EvaluatorPart& part) {
  return part.l2_grid.empty() ? std::vector{part.head.l2} : part.l2_grid;
}

bool needs_inner_folds(const EvaluatorRecipe& recipe) {
  return recipe.thresholds.goal != TuningGoal::kNone || recipe.sharpness_grid.size() > 1 ||
         std::any_of(recipe.parts.begin(), recipe.parts.end(),
                     [](const auto& part) { return penalties_of(part).size() > 1; });
}

Result<void> check_stop(const std::stop_token& stop) {
  if (!stop.stop_requested()) return {};
  return fail(ErrorCode::kStopped, "stopped while training; nothing was written");
}

/// What a head is fitted on: some rows, then all that is auxiliary.
struct TrainingRows {
  std::vector<PromptedText> texts;
  std::vector<ValueLabel> labels;
  std::vector<std::size_t> prompts;
};

TrainingRows training_rows(const LabelledData& data, std::span<const std::size_t> which) {
  auto rows = data.subset(which).rows;
  rows.insert(rows.end(), data.auxiliary.begin(), data.auxiliary.end());
  auto keys = prompt_keys(rows);
  for (std::size_t i = which.size(); i < rows.size(); ++i) {
    if (keys[i].empty()) keys[i] = response_id(rows[i].text);  // texts without a prompt have none in common
  }
  return {texts_of(rows), labels_of(rows), stats::cluster_ids(keys)};
}

/// Fits and counts.
struct Fitting {
  const LabelledData& data;
  Progress& progress;
  const std::stop_token& stop;

  Result<Head> fit(const FeatureMatrix& features, const TrainingRows& rows, const HeadOptions& options) const {
    VALENCE_CHECK(check_stop(stop));
    auto head = fit_head(features, rows.labels, data.dims(), rows.prompts, options);
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
    loss -= std::log(std::max(p[class_of(labels[cell])], kLeast));
  }
  return loss;
}

double soft_error(const ClassProbabilities& probabilities, std::span<const ValueLabel> labels) {
  double error = 0.0;
  for (std::size_t cell = 0; cell < labels.size(); ++cell)
    error += std::abs(probabilities.soft(cell / probabilities.dims, cell % probabilities.dims) - labels[cell]);
  return error;
}

std::vector<double> sharpnesses_of(const EvaluatorRecipe& recipe) {
  return recipe.sharpness_grid.empty() ? std::vector{recipe.sharpness} : recipe.sharpness_grid;
}

/// What inner folds settle.
struct InnerChoice {
  std::vector<double> l2;  ///< per part
  double sharpness = 1.0;
  Thresholds thresholds;
};

/// Held-out probabilities of all rows for every penalty of a part.
Result<std::vector<ClassProbabilities>> inner_predictions(const Fitting& fitting, const FeatureFamilies& families,
                                                          const EvaluatorPart& part, const Folds& folds) {
  const auto& data = fitting.data;
  const auto penalties = penalties_of(part);
  const auto cells = data.rows.size() * data.dims() * kLabelClasses;
  std::vector<ClassProbabilities> held(penalties.size(),
                                       {data.rows.size(), data.dims(), std::vector<double>(cells, 0.0)});
  for (std::size_t fold = 0; fold < folds.count; ++fold) {
    const auto train = training_rows(data, folds.outside(fold));
    const auto test = folds.inside(fold);
    VALENCE_TRY(const auto blocks, fit_blocks(families, part.features, train.texts));
    VALENCE_TRY(const auto train_features, apply_blocks(blocks, train.texts));
    VALENCE_TRY(const auto test_features, apply_blocks(blocks, texts_of(data.subset(test).rows)));
    for (std::size_t i = 0; i < penalties.size(); ++i) {
      auto options = part.head;
      options.l2 = penalties[i];
      VALENCE_TRY(const auto head, fitting.fit(train_features, train, options));
      VALENCE_TRY(const auto probabilities, predict(head, test_features));
      put_rows(probabilities, test, held[i]);
    }
  }
  return held;
}

/// Each part's penalty by its own loss, then sharpness and thresholds on what the parts say together.
Result<InnerChoice> choose(const Fitting& fitting, const FeatureFamilies& families, const EvaluatorRecipe& recipe) {
  InnerChoice choice{{}, sharpnesses_of(recipe).front(), Thresholds::none(fitting.data.dims())};
  for (const auto& part : recipe.parts) choice.l2.push_back(penalties_of(part).front());
  if (!needs_inner_folds(recipe)) return choice;
  VALENCE_TRY(const auto folds, grouped_folds(prompt_keys(fitting.data.rows), recipe.inner_folds, recipe.seed));
  const auto labels = labels_of(fitting.data.rows);
  std::vector<ClassProbabilities> best;
  for (std::size_t i = 0; i < recipe.parts.size(); ++i) {
    VALENCE_TRY(auto held, inner_predictions(fitting, families, recipe.parts[i], folds));
    const auto least = std::min_element(held.begin(), held.end(), [&](const auto& a, const auto& b) {
      return log_loss(a, labels) < log_loss(b, labels);
    });
    choice.l2[i] = penalties_of(recipe.parts[i])[static_cast<std::size_t>(least - held.begin())];
    best.push_back(std::move(*least));
  }
  const auto error_at = [&](double sharpness) { return soft_error(pooled(best, sharpness), labels); };
  const auto sharpnesses = sharpnesses_of(recipe);
  if (sharpnesses.size() > 1) choice.sharpness = *std::ranges::min_element(sharpnesses, {}, error_at);
  VALENCE_TRY(choice.thresholds, tune_thresholds(pooled(best, choice.sharpness), labels, recipe.thresholds));
  return choice;
}

Result<Evaluator::Member> fit_member(const Fitting& fitting, const FeatureFamilies& families,
                                     const EvaluatorPart& part) {
  const auto rows = training_rows(fitting.data, all_rows(fitting.data.rows.size()));
  VALENCE_TRY(auto blocks, fit_blocks(families, part.features, rows.texts));
  VALENCE_TRY(const auto features, apply_blocks(blocks, rows.texts));
  VALENCE_TRY(auto head, fitting.fit(features, rows, part.head));
  return Evaluator::Member{std::move(blocks), std::move(head)};
}

EvaluatorProvenance provenance_of(const LabelledData& data) {
  EvaluatorProvenance provenance;
  const auto prompts = stats::cluster_ids(prompt_keys(data.rows));
  provenance.rows = data.rows.size();
  provenance.prompts = stats::count_draws(prompts.size(), prompts);
  provenance.auxiliary = data.auxiliary.size();
  for (const auto& row : data.auxiliary) provenance.fitted_on.push_back(response_id(row.text));
  std::map<std::string, std::size_t> responders;
  for (const auto& row : data.rows) {
    provenance.fitted_on.push_back(response_id(row.text));
    ++responders[row.responder];
  }
  std::sort(provenance.fitted_on.begin(), provenance.fitted_on.end());
  provenance.responders.assign(responders.begin(), responders.end());
  return provenance;
}

}  // namespace

std::vector<std::string> EvaluatorRecipe::features() const {
  std::vector<std::string> all;
  for (const auto& part : parts) {
    for (const auto& id : part.features) {
      if (std::find(all.begin(), all.end(), id) == all.end()) all.push_back(id);
    }
  }
  return all;
}

Evaluator::Evaluator(std::string space, std::vector<std::string> dimensions, EvaluatorRecipe recipe,
                     std::vector<Member> members, Thresholds thresholds, EvaluatorProvenance provenance)
    : space_(std::move(space)),
      dimensions_(std::move(dimensions)),
      recipe_(std::move(recipe)),
      members_(std::move(members)),
      thresholds_(std::move(thresholds)),
      provenance_(std::move(provenance)) {
  assert(members_.size() == recipe_.parts.size() && !members_.empty());
}

std::size_t Evaluator::Member::columns() const {
  std::size_t count = 0;
  for (const auto& block : blocks) count += block.map->columns();
  return count;
}

Result<ClassProbabilities> Evaluator::Member::evaluate(std::span<const PromptedText> texts) const {
  VALENCE_TRY(const auto matrix, apply_blocks(blocks, texts));
  return predict(head, matrix);
}

Result<FeatureMatrix> Evaluator::features(std::span<const PromptedText> texts) const {
  std::vector<FeatureMatrix> parts;
  for (const auto& member : members_) {
    VALENCE_TRY(auto part, apply_blocks(member.blocks, texts));
    parts.push_back(std::move(part));
  }
  return beside(parts);
}

Result<ClassProbabilities> Evaluator::evaluate(std::span<const PromptedText> texts) const {
  std::vector<ClassProbabilities> said;
  for (const auto& member : members_) {
    VALENCE_TRY(auto probabilities, member.evaluate(texts));
    said.push_back(std::move(probabilities));
  }
  return pooled(said, recipe_.sharpness);
}

std::size_t fits_of(const EvaluatorRecipe& recipe) {
  std::size_t fits = recipe.parts.size();
  if (!needs_inner_folds(recipe)) return fits;
  for (const auto& part : recipe.parts) fits += recipe.inner_folds * penalties_of(part).size();
  return fits;
}

Result<Evaluator> train_evaluator(const LabelledData& data, const FeatureFamilies& families,
                                  const EvaluatorRecipe& recipe, Progress& progress, const std::stop_token& stop) {
  if (recipe.parts.empty()) return fail(ErrorCode::kUsage, "an evaluator needs a part: features and a head");
  const Fitting fitting{data, progress, stop};
  VALENCE_TRY(auto choice, choose(fitting, families, recipe));
  auto chosen = recipe;
  chosen.sharpness = choice.sharpness;
  std::vector<Evaluator::Member> members;
  for (std::size_t i = 0; i < recipe.parts.size(); ++i) {
    chosen.parts[i].head.l2 = choice.l2[i];
    VALENCE_TRY(auto member, fit_member(fitting, families, chosen.parts[i]));
    members.push_back(std::move(member));
  }
  return Evaluator(data.names.space, data.names.dimensions, std::move(chosen), std::move(members),
                   std::move(choice.thresholds), provenance_of(data));
}

}  // namespace valence
