#include "valence/evaluate/thresholds.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "valence/base/names.h"
#include "valence/stats/classification.h"

namespace valence {
namespace {

constexpr Names<TuningGoal, 3> kGoalNames{
    {{TuningGoal::kNone, "none"}, {TuningGoal::kMacroF1, "macro_f1"}, {TuningGoal::kBalanced, "balanced"}}};
constexpr int kGridSteps = 15;
constexpr double kGridStep = 0.2;  // nats
constexpr int kSweeps = 3;
constexpr double kLeast = 1e-300;  // keeps the logarithm of a probability of 0 finite

struct Offsets {
  double opposed = 0.0, upheld = 0.0;
};

std::size_t decide_cell(std::span<const double> p, const Offsets& offsets) {
  const std::array scores{std::log(std::max(p[0], kLeast)) + offsets.opposed, std::log(std::max(p[1], kLeast)),
                          std::log(std::max(p[2], kLeast)) + offsets.upheld};
  if (scores[1] >= scores[0] && scores[1] >= scores[2]) return 1;
  return scores[2] >= scores[0] ? 2 : 0;
}

/// The cells of one dimension, as log-odds against "unrelated".
struct DimensionCells {
  std::vector<std::array<double, 2>> odds;
  std::vector<std::size_t> truth;

  stats::Confusion confusion(const Offsets& offsets) const {
    stats::Confusion counted(kLabelClasses);
    for (std::size_t i = 0; i < odds.size(); ++i) {
      const double opposed = odds[i][0] + offsets.opposed, upheld = odds[i][1] + offsets.upheld;
      const std::size_t taken = opposed <= 0.0 && upheld <= 0.0 ? 1 : upheld >= opposed ? 2 : 0;
      counted.add(truth[i], taken);
    }
    return counted;
  }
  std::size_t count(std::size_t label_class) const {
    return static_cast<std::size_t>(std::count(truth.begin(), truth.end(), label_class));
  }
};

std::vector<DimensionCells> cells_of(const ClassProbabilities& probabilities, std::span<const ValueLabel> labels) {
  std::vector<DimensionCells> dimensions(probabilities.dims);
  for (std::size_t cell = 0; cell < labels.size(); ++cell) {
    const auto p = probabilities.at(cell / probabilities.dims, cell % probabilities.dims);
    const double base = std::log(std::max(p[1], kLeast));
    auto& dimension = dimensions[cell % probabilities.dims];
    dimension.odds.push_back({std::log(std::max(p[0], kLeast)) - base, std::log(std::max(p[2], kLeast)) - base});
    dimension.truth.push_back(class_of(labels[cell]));
  }
  return dimensions;
}

double goal_value(const stats::Confusion& pooled, TuningGoal goal) {
  return stats::macro_f1(pooled) + (goal == TuningGoal::kBalanced ? stats::accuracy(pooled) : 0.0);
}

/// Calls `visit` with every pair of the grid whose free offsets vary and whose fixed ones stay.
template <class Visit>
void for_each_offset(const Offsets& fixed, bool free_opposed, bool free_upheld, Visit visit) {
  const auto steps = [](bool free) { return free ? kGridSteps : 0; };
  for (int i = -steps(free_opposed); i <= steps(free_opposed); ++i) {
    for (int j = -steps(free_upheld); j <= steps(free_upheld); ++j) {
      visit(Offsets{free_opposed ? i * kGridStep : fixed.opposed, free_upheld ? j * kGridStep : fixed.upheld});
    }
  }
}

stats::Confusion pooled_confusion(const std::vector<DimensionCells>& cells, const std::vector<Offsets>& offsets) {
  stats::Confusion pooled(kLabelClasses);
  for (std::size_t d = 0; d < cells.size(); ++d) pooled += cells[d].confusion(offsets[d]);
  return pooled;
}

Offsets best_common(const std::vector<DimensionCells>& cells, TuningGoal goal) {
  Offsets best;
  double most = -1.0;
  for_each_offset({}, true, true, [&](const Offsets& offsets) {
    const double value = goal_value(pooled_confusion(cells, std::vector(cells.size(), offsets)), goal);
    if (value > most) {
      most = value;
      best = offsets;
    }
  });
  return best;
}

/// The best offsets of one dimension beside the others' counts; what is there already stays unless it is beaten.
Offsets best_own(const DimensionCells& cells, const stats::Confusion& others, const Offsets& now,
                 const ThresholdOptions& options) {
  Offsets best = now;
  const auto value_of = [&](const Offsets& offsets) {
    auto pooled = others;
    pooled += cells.confusion(offsets);
    return goal_value(pooled, options.goal);
  };
  double most = value_of(now);
  for_each_offset(now, cells.count(0) >= options.own_from, cells.count(2) >= options.own_from,
                  [&](const Offsets& offsets) {
                    if (const double value = value_of(offsets); value > most) {
                      most = value;
                      best = offsets;
                    }
                  });
  return best;
}

}  // namespace

std::string_view to_string(TuningGoal goal) { return name_of(kGoalNames, goal); }
Result<TuningGoal> tuning_goal(std::string_view name) { return value_of(kGoalNames, "goal of thresholds", name); }

std::vector<ValueLabel> decide(const ClassProbabilities& probabilities, const Thresholds& thresholds) {
  std::vector<ValueLabel> labels;
  for (std::size_t row = 0; row < probabilities.rows; ++row) {
    for (std::size_t d = 0; d < probabilities.dims; ++d) {
      labels.push_back(label_of(decide_cell(probabilities.at(row, d), {thresholds.opposed[d], thresholds.upheld[d]})));
    }
  }
  return labels;
}

Result<Thresholds> tune_thresholds(const ClassProbabilities& probabilities, std::span<const ValueLabel> labels,
                                   const ThresholdOptions& options) {
  if (labels.size() != probabilities.rows * probabilities.dims || labels.empty()) {
    return fail(ErrorCode::kWrongCount, "{} responses with {} dimensions need {} labels to tune thresholds on, got {}",
                probabilities.rows, probabilities.dims, probabilities.rows * probabilities.dims, labels.size());
  }
  if (options.goal == TuningGoal::kNone) return Thresholds::none(probabilities.dims);
  const auto cells = cells_of(probabilities, labels);
  std::vector<Offsets> offsets(cells.size(), best_common(cells, options.goal));
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::size_t d = 0; d < cells.size(); ++d) {
      auto others = pooled_confusion(cells, offsets);
      const auto mine = cells[d].confusion(offsets[d]);
      for (std::size_t i = 0; i < others.counts.size(); ++i) others.counts[i] -= mine.counts[i];
      offsets[d] = best_own(cells[d], others, offsets[d], options);
    }
  }
  Thresholds thresholds;
  for (const auto& [opposed, upheld] : offsets) {
    thresholds.opposed.push_back(opposed);
    thresholds.upheld.push_back(upheld);
  }
  return thresholds;
}

}  // namespace valence
