#pragma once

#include <map>
#include <string>
#include <vector>

#include "valence/instruments/instrument.h"

namespace valence {

/// An estimator whose every figure is a weighted mean over random units of a number that each unit has, or lacks (NaN).
/// Built row by row; the numbers of one unit and one estimand are averaged first.
class UnitMeans final : public Estimator {
 public:
  /// Declares an estimand; a second declaration of the same id is ignored.
  void declare(const Estimand& estimand);
  /// Adds a number of a unit to a declared estimand.
  void add(const std::string& unit, const std::string& cluster, const std::string& estimand, double value);

  const std::vector<Estimand>& estimands() const override { return estimands_; }
  const std::vector<std::string>& units() const override { return units_; }
  const std::vector<std::string>& clusters() const override { return clusters_; }
  std::vector<double> estimate(std::span<const double> unit_weights) const override;
  std::vector<std::size_t> unit_counts() const override;

 private:
  struct Cell {
    double sum = 0.0;
    double count = 0.0;
  };
  std::size_t unit_index(const std::string& unit, const std::string& cluster);

  std::vector<Estimand> estimands_;
  std::vector<std::string> units_, clusters_;
  std::map<std::string, std::size_t> unit_of_, estimand_of_;
  std::vector<std::map<std::size_t, Cell>> cells_;  // [estimand]: unit → cell
};

}  // namespace valence
