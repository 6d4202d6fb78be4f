#include "difference_forest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "forest.h"
#include "valence/base/text.h"

namespace valence::report {

double nice_bound(double most) {
  if (!(most > 0.0)) return 1.0;
  const double step = std::pow(10.0, std::floor(std::log10(most)));
  return std::ceil(most / step - 1e-9) * step;
}

std::vector<const Difference*> headline_of(const std::vector<Difference>& differences) {
  std::vector<const Difference*> rows;
  for (const auto& difference : differences) {
    if (difference.estimand.headline) rows.push_back(&difference);
  }
  return rows;
}

std::vector<std::vector<const Difference*>> by_axis(const std::vector<const Difference*>& rows) {
  std::vector<std::vector<const Difference*>> groups;
  for (const auto* row : rows) {
    const auto& estimand = row->estimand;
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      const auto& other = group.front()->estimand;
      return other.low == estimand.low && other.high == estimand.high && other.unit == estimand.unit;
    });
    if (found == groups.end()) {
      groups.push_back({row});
    } else {
      found->push_back(row);
    }
  }
  return groups;
}

std::string difference_forest(const std::vector<const Difference*>& rows, const DifferenceWords& words, Ids& ids) {
  double most = 0.0;
  Forest forest{ids.next("differences"), words.title, "", {words.series}, {}, 0.0, 0.0, rows.front()->estimand.unit, words.reference};
  for (const auto* row : rows) {
    for (const double x : {row->estimate.value, row->estimate.low, row->estimate.high}) most = std::isfinite(x) ? std::max(most, std::abs(x)) : most;
    forest.rows.push_back({row_label(row->estimand), "", {{0, row->estimate}}, 0.0});
    forest.description += fmt::format("{}: {}. ", row_label(row->estimand), figure_text(row->estimate));
  }
  forest.high = nice_bound(most);
  forest.low = -forest.high;
  return figure(draw_forest(forest), words.caption);
}

}  // namespace valence::report
