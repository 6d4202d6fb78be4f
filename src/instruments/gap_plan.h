#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "valence/instruments/target_gap.h"

namespace valence {

/// What a distance is made of: a number of an estimator, by its place, and what the target wants there.
struct GapPlace {
  std::string dimension;  ///< in a ring the direction
  std::size_t estimand;
  double target;
  double weight;
};

/// One distance as a pure function of the run's figures at the plan's places.
struct PlannedGap {
  Estimand estimand;
  bool agreement;
  std::string_view blind;  ///< as GapFigure::blind
  std::function<double(std::span<const double> profile)> of;
};

struct GapPlan {
  std::string convention;
  std::vector<GapPlace> places;
  std::vector<PlannedGap> gaps;

  /// The estimator's numbers at the places, and one distance per gap: both to nine decimals.
  std::vector<double> profile(std::span<const double> figures) const;
  std::vector<double> distances(std::span<const double> figures) const;
};

/// The places at which run and target can be compared. Errors as target_gap.
Result<GapPlan> gap_places(const GapGoal& goal, const Space& space, std::span<const Estimand> estimands);
/// Adds the distances. `distances`: as target_gap.
Result<void> plan_gaps(GapPlan& plan, const GapGoal& goal, const Space& space, std::span<const std::string> distances);

}  // namespace valence
