#pragma once

#include <span>
#include <string>
#include <vector>

#include "valence/instruments/target_gap.h"

namespace valence {

/// How well a run's profile fits one of several targets.
struct TargetMatch {
  std::string target;        ///< id
  Estimate spearman;         ///< rank correlation of the profile with the target
  Estimate rank;             ///< among the targets, 1 = best; interval over the same replicates
  double p_holm = 1.0;       ///< the best target fits better than this one (paired, two-sided, Holm); 1 for the best
  bool tied_with_best = true;  ///< cannot be told apart from the best at 5 %
};

/// Targets by falling rank correlation, all over the dimensions that the run and every target define (at least 4), in one
/// convention. The bootstrap is over the run's random unit and the same for all targets, so ranks and differences are
/// paired. Fails with kUsage as target_gap, and where fewer than two targets or four dimensions are left.
/// Source: the ranking of Value Compass (Yao et al. 2025), with intervals.
struct Matching {
  std::vector<std::string> dimensions, left_out;
  std::vector<TargetMatch> matches;
};
Result<Matching> match_targets(const Instrument& instrument, const ComparedRun& run, std::span<const GapGoal> goals,
                               const ProfileOptions& options);

}  // namespace valence
