#include "valence/instruments/unit_means.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace valence {

void UnitMeans::declare(const Estimand& estimand) {
  if (!estimand_of_.emplace(estimand.id, estimands_.size()).second) return;
  estimands_.push_back(estimand);
  cells_.emplace_back();
}

std::size_t UnitMeans::unit_index(const std::string& unit, const std::string& cluster) {
  const auto [place, added] = unit_of_.emplace(unit, units_.size());
  if (added) {
    units_.push_back(unit);
    if (!cluster.empty()) clusters_.push_back(cluster);
  }
  return place->second;
}

void UnitMeans::add(const std::string& unit, const std::string& cluster, const std::string& estimand, double value) {
  if (std::isnan(value)) return;
  auto& cell = cells_.at(estimand_of_.at(estimand))[unit_index(unit, cluster)];
  cell.sum += value;
  cell.count += 1.0;
}

std::vector<double> UnitMeans::estimate(std::span<const double> unit_weights) const {
  std::vector<double> figures;
  for (const auto& row : cells_) {
    double sum = 0.0, weight = 0.0;
    for (const auto& [unit, cell] : row) {
      sum += unit_weights[unit] * cell.sum / cell.count;
      weight += unit_weights[unit];
    }
    figures.push_back(weight > 0.0 ? sum / weight : std::numeric_limits<double>::quiet_NaN());
  }
  return figures;
}

std::vector<std::size_t> UnitMeans::unit_counts() const {
  std::vector<std::size_t> counts;
  for (const auto& row : cells_) counts.push_back(row.size());
  return counts;
}

}  // namespace valence
