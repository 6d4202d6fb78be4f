#include "svo_estimator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "svo_answers.h"
#include "svo_lattice.h"
#include "valence/stats/mixture.h"
#include "valence/values/gap.h"

namespace valence {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kPrimaryCells = kPrimaryItems * kSliderOptions;
constexpr std::size_t kSecondaryCells = kSecondaryItems * kSliderOptions;

/// What the joint distribution over a unit's answer vectors amounts to; NaN throughout when an answer is missing.
struct UnitFigures {
  double angle = kNaN;
  std::array<double, kOrientations> category{kNaN, kNaN, kNaN, kNaN};
  double rationality = kNaN;
};

struct ArmArrays {
  std::string prefix;                 // "altruistic." or ""
  std::string condition;
  std::optional<double> target;
  std::optional<std::size_t> own;     // the induced category
  std::vector<double> primary;        // [unit][item][option], 0 where not answered
  std::vector<double> secondary;      // likewise; empty unless every unit answered them
  std::vector<UnitFigures> figures;   // [unit]
  std::vector<double> rationality;    // of each lattice state; empty without target
};

double weighted_mean(std::span<const double> weights, const std::vector<UnitFigures>& figures, auto&& value) {
  double sum = 0.0, total = 0.0;
  for (std::size_t u = 0; u < weights.size(); ++u) {
    const double x = value(figures[u]);
    if (std::isnan(x)) continue;
    sum += weights[u] * x;
    total += weights[u];
  }
  return total > 0.0 ? sum / total : kNaN;
}

/// Σ over units of weight × probability, per cell.
std::vector<double> weighted_counts(std::span<const double> weights, const std::vector<double>& cells,
                                    std::size_t width) {
  std::vector<double> counts(width, 0.0);
  for (std::size_t u = 0; u < weights.size(); ++u) {
    if (weights[u] == 0.0) continue;
    const double* row = cells.data() + u * width;
    for (std::size_t c = 0; c < width; ++c) counts[c] += weights[u] * row[c];
  }
  return counts;
}

/// Mean over the items of the expected payoff on each; NaN when an item has no answer.
Allocation expected_payoff(std::span<const SliderItem> items, std::span<const double> counts) {
  Allocation mean{0.0, 0.0};
  for (std::size_t i = 0; i < items.size(); ++i) {
    double total = 0.0, self = 0.0, other = 0.0;
    for (std::size_t o = 0; o < kSliderOptions; ++o) {
      const double count = counts[i * kSliderOptions + o];
      total += count;
      self += count * items[i].options[o].self;
      other += count * items[i].options[o].other;
    }
    mean.self += self / total;
    mean.other += other / total;
  }
  const auto n = static_cast<double>(items.size());
  return {mean.self / n, mean.other / n};
}

double entropy_of(std::span<const double> probability) {
  double sum = 0.0;
  for (const double p : probability) {
    if (std::isnan(p)) return kNaN;
    if (p > 0.0) sum -= p * std::log(p);
  }
  return sum;
}

std::vector<stats::MixtureItem> items_of_type(const SvoType& type) {
  std::vector<stats::MixtureItem> items;
  for (const char letter : type.answers) {
    std::vector<double> ideal(kSliderOptions, letter == '?' ? 1.0 / kSliderOptions : 0.0);
    if (letter != '?') ideal[static_cast<std::size_t>(letter - 'A')] = 1.0;
    items.push_back({std::vector<double>(kSliderOptions, 0.0), std::move(ideal)});
  }
  return items;
}

/// Expected mean distance of each motive's ideal, option format: linear in the probabilities.
std::array<double, 4> expected_distances(const SvoMeasure& measure, std::span<const double> counts) {
  std::array<double, 4> distance{};
  for (std::size_t m = 0; m < distance.size(); ++m) {
    double sum = 0.0, defined = 0.0;
    for (std::size_t i = 0; i < kSecondaryItems; ++i) {
      if (!measure.motives[m].ideal[i]) continue;
      const auto ideal = static_cast<double>(*measure.motives[m].ideal[i] - 1);
      double total = 0.0, item = 0.0;
      for (std::size_t o = 0; o < kSliderOptions; ++o) {
        total += counts[i * kSliderOptions + o];
        item += counts[i * kSliderOptions + o] * std::abs(static_cast<double>(o) - ideal);
      }
      sum += item / total / static_cast<double>(kSliderOptions - 1);
      defined += 1.0;
    }
    distance[m] = sum / defined;
  }
  return distance;
}

/// The cells of a unit whose joint distribution is scored. Where histories were drawn, what was said before the last
/// question is certain, and only the last answer's probabilities are left: unbiased for an administration's category.
std::vector<double> joint_cells(const SliderAnswers& answers) {
  std::vector<double> cells(kPrimaryCells, 0.0);
  for (std::size_t i = 0; i < kPrimaryItems; ++i) {
    const auto& cell = answers.cells[i];
    double* at = cells.data() + i * kSliderOptions;
    if (cell.realised && answers.last_primary != i) {
      at[*cell.realised] = 1.0;
    } else {
      std::ranges::copy(cell.probability, at);
    }
  }
  return cells;
}

class SliderEstimator final : public Estimator {
 public:
  SliderEstimator(SvoMeasure measure, const SliderSheet& sheet, SliderScoring scoring)
      : measure_(std::move(measure)), scoring_(std::move(scoring)), lattice_(measure_.primary()), units_(sheet.units) {
    for (const auto& type : measure_.types) type_items_.push_back(items_of_type(type));
    uniform_angle_ = svo_angle_of_mean(expected_payoff(measure_.primary(), std::vector<double>(kPrimaryCells, 1.0)));
    for (const double angle : lattice_.angles()) {
      state_category_.push_back(
          static_cast<std::size_t>(svo_category(angle, measure_.boundaries, scoring_.tie_rule)));
    }
    for (const auto& arm : sheet.arms) arms_.push_back(arrays_of(arm));
    for (const auto& arm : arms_) declare(arm);
  }

  const std::vector<Estimand>& estimands() const override { return estimands_; }
  const std::vector<std::string>& units() const override { return units_; }
  const std::vector<std::string>& clusters() const override { return clusters_; }

  std::vector<double> estimate(std::span<const double> unit_weights) const override {
    std::vector<double> values;
    values.reserve(estimands_.size());
    for (const auto& arm : arms_) add_figures(arm, unit_weights, values);
    return values;
  }

 private:
  ArmArrays arrays_of(const SliderArm& arm) const {
    ArmArrays arrays;
    arrays.condition = arm.condition;
    arrays.prefix = arm.condition.empty() ? "" : arm.condition + ".";
    if (const auto target = scoring_.targets.find(arm.condition); target != scoring_.targets.end()) {
      arrays.target = target->second;
      for (const double angle : lattice_.angles()) {
        arrays.rationality.push_back(value_rationality(angle, *arrays.target, scoring_.band));
      }
      if (const auto own = svo_category_from(arm.condition)) arrays.own = static_cast<std::size_t>(*own);
    }
    arrays.primary.assign(units_.size() * kPrimaryCells, 0.0);
    const bool secondary = std::ranges::all_of(arm.units, &SliderAnswers::has_secondary);
    if (secondary) arrays.secondary.assign(units_.size() * kSecondaryCells, 0.0);
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const auto& answers = arm.units[u];
      for (std::size_t i = 0; i < answers.cells.size(); ++i) {
        if (i >= kPrimaryItems && !secondary) break;
        auto& cells = i < kPrimaryItems ? arrays.primary : arrays.secondary;
        const auto start = i < kPrimaryItems ? u * kPrimaryCells + i * kSliderOptions
                                             : u * kSecondaryCells + (i - kPrimaryItems) * kSliderOptions;
        std::ranges::copy(answers.cells[i].probability, cells.begin() + static_cast<std::ptrdiff_t>(start));
      }
      arrays.figures.push_back(figures_of(answers, arrays, u));
    }
    return arrays;
  }

  UnitFigures figures_of(const SliderAnswers& answers, const ArmArrays& arrays, std::size_t unit) const {
    UnitFigures figures;
    if (!answers.has_primary()) return figures;
    const auto cells = std::span(arrays.primary).subspan(unit * kPrimaryCells, kPrimaryCells);
    figures.angle = svo_angle_of_mean(expected_payoff(measure_.primary(), cells));
    figures.category.fill(0.0);
    const auto mass = lattice_.distribution(joint_cells(answers));
    for (std::size_t s = 0; s < mass.size(); ++s) figures.category[state_category_[s]] += mass[s];
    if (arrays.target) figures.rationality = std::inner_product(mass.begin(), mass.end(), arrays.rationality.begin(), 0.0);
    return figures;
  }

  void declare(const ArmArrays& arm) {
    const auto [lowest, highest] = std::ranges::minmax(lattice_.angles());
    const auto add = [&](std::string id, std::string label, std::string unit, double low, double high,
                         std::string dimension = "", bool headline = false) {
      estimands_.push_back(
          {arm.prefix + id, std::move(dimension), arm.condition, std::move(label), std::move(unit), low, high, headline});
    };
    add("angle", "angle of expected payoffs", "degrees", lowest, highest, "angle", true);
    add("mean_" + scoring_.unit + "_angle", "mean of the " + scoring_.unit + "s' angles", "degrees", lowest, highest,
        "angle");
    for (const auto category : kSvoCategories) {
      add(fmt::format("category.{}", to_string(category)), fmt::format("{} administrations", to_string(category)),
          "share", 0.0, 1.0, std::string(to_string(category)));
    }
    add("entropy", "entropy of the categories", "nats", 0.0, std::log(static_cast<double>(kOrientations)));
    if (arm.target) {
      add("value_rationality", "value rationality of an administration", "", 0.0, 1.0);
      add("value_rationality_of_mean", "value rationality of the angle", "", 0.0, 1.0);
    }
    if (arm.own) add("hit_rate", "administrations in the induced category", "share", 0.0, 1.0);
    add("distance_from_uniform", "distance from the uniform responder's angle", "degrees", 0.0,
        std::max(highest - uniform_angle_, uniform_angle_ - lowest));
    for (const auto& type : measure_.types) {
      add("lambda." + type.id, "share of the ideal " + type.label + " against random answers", "share", 0.0, 1.0);
    }
    if (!arm.secondary.empty()) {
      for (const auto& motive : measure_.motives) {
        add("secondary.distance." + motive.id, "distance from pure " + motive.label, "slider lengths", 0.0, 1.0);
      }
      add("secondary.index", "inequality aversion (0) against joint gain (1)", "", 0.0, 1.0);
    }
  }

  void add_figures(const ArmArrays& arm, std::span<const double> weights, std::vector<double>& values) const {
    const auto counts = weighted_counts(weights, arm.primary, kPrimaryCells);
    const double angle = svo_angle_of_mean(expected_payoff(measure_.primary(), counts));
    values.push_back(angle);
    values.push_back(weighted_mean(weights, arm.figures, [](const auto& f) { return f.angle; }));
    std::array<double, kOrientations> category{};
    for (std::size_t c = 0; c < kOrientations; ++c) {
      category[c] = weighted_mean(weights, arm.figures, [c](const auto& f) { return f.category[c]; });
    }
    values.insert(values.end(), category.begin(), category.end());
    values.push_back(entropy_of(category));
    if (arm.target) {
      values.push_back(weighted_mean(weights, arm.figures, [](const auto& f) { return f.rationality; }));
      values.push_back(std::isnan(angle) ? kNaN : value_rationality(angle, *arm.target, scoring_.band));
    }
    if (arm.own) values.push_back(category[*arm.own]);
    values.push_back(std::abs(angle - uniform_angle_));
    for (const auto& type : type_items_) values.push_back(share_of(type, counts));
    if (!arm.secondary.empty()) add_secondary(arm, weights, values);
  }

  double share_of(std::vector<stats::MixtureItem> items, std::span<const double> counts) const {
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::ranges::copy(counts.subspan(i * kSliderOptions, kSliderOptions), items[i].counts.begin());
    }
    return stats::mixture_share(items);
  }

  void add_secondary(const ArmArrays& arm, std::span<const double> weights, std::vector<double>& values) const {
    const auto distance =
        expected_distances(measure_, weighted_counts(weights, arm.secondary, kSecondaryCells));
    values.insert(values.end(), distance.begin(), distance.end());
    values.push_back(secondary_index(measure_, distance).index);
  }

  SvoMeasure measure_;
  SliderScoring scoring_;
  PayoffLattice lattice_;
  std::vector<std::size_t> state_category_;  // of each lattice state
  double uniform_angle_ = 0.0;
  std::vector<std::string> units_;
  std::vector<std::string> clusters_;
  std::vector<std::vector<stats::MixtureItem>> type_items_;
  std::vector<ArmArrays> arms_;
  std::vector<Estimand> estimands_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> slider_estimator(const AnswerTable& table, const SliderScoring& scoring) {
  VALENCE_TRY(auto measure, load_svo_measure());
  VALENCE_TRY(const auto sheet, slider_sheet(measure, table));
  return std::make_unique<SliderEstimator>(std::move(measure), sheet, scoring);
}

}  // namespace valence
