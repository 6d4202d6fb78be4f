#include "valence/evaluate/quality.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "valence/stats/bootstrap.h"
#include "valence/stats/classification.h"
#include "valence/stats/compare.h"
#include "valence/stats/resample.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

constexpr std::array kClassNames{"opposed", "unrelated", "upheld"};

/// Held-out cells arranged for counting again and again under other weights.
struct ScoredCells {
  std::size_t rows = 0, dims = 0;
  std::vector<std::vector<std::size_t>> truth, decided;    ///< [dimension][row]
  std::vector<std::array<stats::RankedScores, 2>> ranked;  ///< [dimension]: by p(−1), by p(+1)
  std::vector<double> signed_truth, soft;                  ///< [cell]
};

ScoredCells scored_cells(const HeldOut& held) {
  ScoredCells cells{held.rows(), held.dims, {}, {}, {}, {}, {}};
  cells.truth.resize(held.dims);
  cells.decided.resize(held.dims);
  std::vector<std::array<std::vector<double>, 2>> scores(held.dims);
  for (std::size_t row = 0; row < held.rows(); ++row) {
    for (std::size_t d = 0; d < held.dims; ++d) {
      const auto cell = row * held.dims + d;
      cells.truth[d].push_back(class_of(held.labels[cell]));
      cells.decided[d].push_back(class_of(held.decided[cell]));
      cells.signed_truth.push_back(held.labels[cell]);
      cells.soft.push_back(held.probabilities.soft(row, d));
      scores[d][0].push_back(held.probabilities.at(row, d)[0]);
      scores[d][1].push_back(held.probabilities.at(row, d)[2]);
    }
  }
  for (const auto& [opposed, upheld] : scores)
    cells.ranked.push_back({stats::rank_scores(opposed), stats::rank_scores(upheld)});
  return cells;
}

std::vector<double> cell_weights(std::span<const double> row_weights, std::size_t dims) {
  std::vector<double> weights;
  weights.reserve(row_weights.size() * dims);
  for (const double weight : row_weights) weights.insert(weights.end(), dims, weight);
  return weights;
}

// ---- figures, in one order for names and numbers

struct FigureName {
  std::string id, label;
};

std::vector<FigureName> confusion_names(bool pooled) {
  std::vector<FigureName> names = {{"accuracy", "accuracy"}, {"macro_f1", "macro-F1"}};
  for (const auto* name : kClassNames) names.push_back({fmt::format("f1_{}", name), fmt::format("F1 of {}", name)});
  for (const auto* name : kClassNames) {
    if (!pooled) break;
    names.push_back({fmt::format("precision_{}", name), fmt::format("precision of {}", name)});
    names.push_back({fmt::format("recall_{}", name), fmt::format("recall of {}", name)});
  }
  return names;
}

void add_confusion_figures(const stats::Confusion& confusion, bool pooled, std::vector<double>& figures) {
  figures.push_back(stats::accuracy(confusion));
  figures.push_back(stats::macro_f1(confusion));
  for (std::size_t c = 0; c < kLabelClasses; ++c) figures.push_back(stats::class_figures(confusion, c).f1);
  for (std::size_t c = 0; c < kLabelClasses && pooled; ++c) {
    figures.push_back(stats::class_figures(confusion, c).precision);
    figures.push_back(stats::class_figures(confusion, c).recall);
  }
}

const std::vector<FigureName>& auroc_names() {
  static const std::vector<FigureName> names = {{"auroc_opposed", "AUROC of opposed"},
                                                {"auroc_upheld", "AUROC of upheld"}};
  return names;
}

std::vector<QualityFigure> figure_names(const std::vector<std::string>& dimensions) {
  std::vector<QualityFigure> figures;
  const auto add = [&](const std::vector<FigureName>& names, const std::string& dimension) {
    for (const auto& [id, label] : names) figures.push_back({id, dimension, label, {}});
  };
  add(confusion_names(true), "");
  add({{"sign_accuracy", "sign accuracy"}, {"soft_error", "soft mean absolute error"}}, "");
  add(auroc_names(), "");
  for (const auto& dimension : dimensions) {
    add(confusion_names(false), dimension);
    add(auroc_names(), dimension);
  }
  return figures;
}

std::vector<stats::Confusion> confusions(const ScoredCells& cells, std::span<const double> weights) {
  std::vector<stats::Confusion> by_dimension;
  for (std::size_t d = 0; d < cells.dims; ++d) {
    by_dimension.push_back(stats::confusion(cells.truth[d], cells.decided[d], kLabelClasses, weights));
  }
  return by_dimension;
}

stats::Confusion pooled(const std::vector<stats::Confusion>& by_dimension) {
  stats::Confusion sum(kLabelClasses);
  for (const auto& confusion : by_dimension) sum += confusion;
  return sum;
}

/// Mean over the dimensions that have an area.
double mean_defined(const std::vector<std::array<double, 2>>& areas, std::size_t side) {
  double sum = 0.0, count = 0.0;
  for (const auto& area : areas) {
    if (std::isnan(area[side])) continue;
    sum += area[side];
    count += 1.0;
  }
  return sum / count;
}

std::vector<double> all_figures(const ScoredCells& cells, std::span<const double> weights) {
  const auto by_dimension = confusions(cells, weights);
  const auto by_cell = cell_weights(weights, cells.dims);
  std::vector<std::array<double, 2>> areas;
  for (std::size_t d = 0; d < cells.dims; ++d) {
    areas.push_back({stats::auroc(cells.ranked[d][0], cells.truth[d], 0, weights),
                     stats::auroc(cells.ranked[d][1], cells.truth[d], 2, weights)});
  }
  std::vector<double> figures;
  add_confusion_figures(pooled(by_dimension), true, figures);
  figures.push_back(stats::sign_accuracy(cells.signed_truth, cells.soft, by_cell));
  figures.push_back(stats::mean_absolute_error(cells.signed_truth, cells.soft, by_cell));
  for (std::size_t side = 0; side < 2; ++side) figures.push_back(mean_defined(areas, side));
  for (std::size_t d = 0; d < cells.dims; ++d) {
    add_confusion_figures(by_dimension[d], false, figures);
    figures.insert(figures.end(), areas[d].begin(), areas[d].end());
  }
  return figures;
}

// ---- calibration and conformal sets

Result<std::vector<ClassCalibration>> calibration_of(const HeldOut& held, const QualityOptions& options) {
  std::vector<ClassCalibration> result;
  for (std::size_t c = 0; c < kLabelClasses; ++c) {
    std::vector<double> probability, happened;
    for (std::size_t cell = 0; cell < held.labels.size(); ++cell) {
      probability.push_back(std::clamp(held.probabilities.values[cell * kLabelClasses + c], 0.0, 1.0));
      happened.push_back(class_of(held.labels[cell]) == c ? 1.0 : 0.0);
    }
    VALENCE_TRY(auto curve, stats::reliability_curve(probability, happened, options.bins, stats::Binning::kEqualCount,
                                                     options.level));
    const double error = stats::expected_calibration_error(curve);
    result.push_back({kClassNames[c], std::move(curve), error});
  }
  return result;
}

struct CellList {
  std::vector<double> probability;
  std::vector<std::size_t> truth;
};

CellList cells_of_rows(const HeldOut& held, const std::vector<std::size_t>& rows) {
  const auto part = held.subset(rows);
  CellList cells{part.probabilities.values, {}};
  for (const auto label : part.labels) cells.truth.push_back(class_of(label));
  return cells;
}

Result<std::optional<stats::ConformalFigures>> conformal_of(const HeldOut& held, const QualityOptions& options) {
  std::vector<std::size_t> calibration, rest;
  for (std::size_t row = 0; row < held.rows(); ++row) {
    (is_held_out(held.prompts[row], 0.5, options.seed) ? calibration : rest).push_back(row);
  }
  if (calibration.empty() || rest.empty()) return std::nullopt;
  const auto known = cells_of_rows(held, calibration), fresh = cells_of_rows(held, rest);
  VALENCE_TRY(const auto thresholds,
              stats::conformal_thresholds(known.probability, known.truth, kLabelClasses, options.coverage,
                                          stats::ConformalCoverage::kPerClass));
  return stats::conformal_figures(fresh.probability, fresh.truth, thresholds, options.level);
}

// ---- comparison

constexpr std::array kCompared{"accuracy", "macro_f1", "f1_opposed", "f1_upheld", "soft_error"};

std::vector<double> compared_figures(const ScoredCells& cells, std::span<const double> weights) {
  const auto confusion = pooled(confusions(cells, weights));
  return {stats::accuracy(confusion), stats::macro_f1(confusion), stats::class_figures(confusion, 0).f1,
          stats::class_figures(confusion, 2).f1,
          stats::mean_absolute_error(cells.signed_truth, cells.soft, cell_weights(weights, cells.dims))};
}

using Figures = std::vector<double> (*)(const ScoredCells&, std::span<const double>);

Result<stats::Replicates> replicates_of(const HeldOut& held, Figures figures, const QualityOptions& options) {
  const auto cells = scored_cells(held);
  const auto prompts = stats::cluster_ids(held.prompts);
  return stats::replicate([&](std::span<const double> weights) { return figures(cells, weights); }, held.rows(),
                          prompts, options.replicates, options.seed);
}

Json calibration_json(const ClassCalibration& calibration) {
  Json bins = Json::array();
  for (const auto& bin : calibration.curve) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"promised", bin.mean_probability},
                    {"observed", to_json(bin.observed)}});
  }
  return {{"class", calibration.label_class}, {"error", calibration.error}, {"bins", bins}};
}

Json conformal_json(const QualityReport& report) {
  if (!report.conformal) return nullptr;
  const auto& sets = *report.conformal;
  Json by_class = Json::object();
  for (std::size_t c = 0; c < kLabelClasses; ++c) by_class[kClassNames[c]] = to_json(sets.by_class[c]);
  return {{"promised", report.conformal_coverage},
          {"coverage", to_json(sets.coverage)},
          {"by_class", by_class},
          {"mean_size", sets.mean_size},
          {"singletons", sets.singletons}};
}

}  // namespace

const Estimate& QualityReport::of(std::string_view id, std::string_view dimension) const {
  const auto found = std::find_if(figures.begin(), figures.end(), [&](const QualityFigure& figure) {
    return figure.id == id && figure.dimension == dimension;
  });
  if (found == figures.end()) throw std::out_of_range("no such quality figure");
  return found->estimate;
}

Result<QualityReport> quality_report(const HeldOut& held, const std::vector<std::string>& dimensions,
                                     const QualityOptions& options) {
  if (held.rows() == 0)
    return fail(ErrorCode::kWrongCount, "a quality report needs labelled responses that were held out; there are none");
  QualityReport report;
  report.evaluator = held.evaluator;
  report.rows = held.rows();
  report.prompts = stats::count_draws(held.rows(), stats::cluster_ids(held.prompts));
  report.dimensions = dimensions;
  report.figures = figure_names(dimensions);
  VALENCE_TRY(const auto replicates, replicates_of(held, all_figures, options));
  const auto estimates = stats::intervals(replicates, "prompt", options.level);
  for (std::size_t i = 0; i < estimates.size(); ++i) report.figures[i].estimate = estimates[i];
  VALENCE_TRY(report.calibration, calibration_of(held, options));
  VALENCE_TRY(report.conformal, conformal_of(held, options));
  report.conformal_coverage = options.coverage;
  return report;
}

Result<std::vector<QualityDifference>> compare_quality(const HeldOut& first, const HeldOut& second,
                                                       const QualityOptions& options) {
  if (first.prompts != second.prompts || first.labels != second.labels) {
    return fail(ErrorCode::kMismatch, "{} and {} were not held out on the same responses", first.evaluator,
                second.evaluator);
  }
  VALENCE_TRY(const auto one, replicates_of(first, compared_figures, options));
  VALENCE_TRY(const auto two, replicates_of(second, compared_figures, options));
  VALENCE_TRY(auto comparisons, stats::compare_paired(one, two, "prompt", options.level));
  std::vector<double> p;
  for (const auto& comparison : comparisons) p.push_back(comparison.p);
  const auto corrected = stats::holm(p);
  std::vector<QualityDifference> differences;
  for (std::size_t i = 0; i < comparisons.size(); ++i)
    differences.push_back({kCompared[i], std::move(comparisons[i]), corrected[i]});
  return differences;
}

Json to_json(const QualityReport& report) {
  Json figures = Json::array();
  for (const auto& figure : report.figures) {
    figures.push_back({{"id", figure.id},
                       {"dimension", figure.dimension},
                       {"label", figure.label},
                       {"estimate", to_json(figure.estimate)}});
  }
  Json calibration = Json::array();
  for (const auto& entry : report.calibration) calibration.push_back(calibration_json(entry));
  return {{"evaluator", report.evaluator}, {"responses", report.rows},
          {"prompts", report.prompts},     {"figures", figures},
          {"calibration", calibration},    {"conformal", conformal_json(report)}};
}

}  // namespace valence
