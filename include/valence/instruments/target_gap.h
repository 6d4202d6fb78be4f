#pragma once

#include <span>
#include <string>
#include <vector>

#include "valence/instruments/measure.h"
#include "valence/values/target.h"

namespace valence {

/// A target as distances read it.
struct GapGoal {
  Target target;
  std::string convention;       ///< of its scores: "raw", "centred", "unit"; empty in a ring
  std::vector<double> weights;  ///< of `target.values`, one each; empty = 1; 0 = no part of the target, as is a NaN value

  double weight(std::string_view dimension) const;                ///< 0 for what is no part of the target
  double value(std::string_view dimension) const;                 ///< NaN for what is no part of the target
};

/// Convention and weights are the target's own.
GapGoal goal_of(Target target);

/// Replicates behind a gap. No p below that of a tail of 1/(R + 1) is claimed: with 20 units and 12 distances, 2,000
/// replicates could never bring Holm's p below 0.055, 10,000 bring it down to 0.022.
inline constexpr std::size_t kGapReplicates = 10000;

/// One distance between a run and a target.
struct GapFigure {
  Estimand estimand;       ///< id: a gap measure's, or "angle_distance.<direction>", "value_rationality.<direction>"
  Estimate estimate;       ///< the interval lies within the estimand's range
  bool agreement = false;  ///< the larger, the nearer
  /// Mean of the bootstrap replicates minus the estimate: about how much noise alone enlarges a distance, since noise
  /// never brings a profile nearer on average. NaN without replicates.
  double noise = 0.0;
  std::string_view blind;  ///< what the distance cannot tell, in half a sentence; static text, may be empty
};

/// How far a run is from a target, over the instrument's random unit.
struct TargetGap {
  std::string convention;               ///< of both sides: "raw", "centred", "unit"; in a ring the coordinate's unit
  std::vector<std::string> dimensions;  ///< compared; in a ring the directions
  std::vector<std::string> unmeasured;  ///< of the target, but undefined in the run: left out of every distance
  std::vector<GapFigure> figures;
};

/// Every distance is evaluated inside each bootstrap replicate of the run's figures, so it has an interval over the same
/// random unit. `distances`: ids of gap measures; empty = all that apply to the convention.
///
/// - In a space of scores: each dimension's figure whose condition is the target's convention against the target's value.
/// - In a ring: the angle of each condition that names a direction against the target's angle for it; an angle without
///   condition against every direction.
///
/// Fails with kUsage when run and target live in different spaces, when the run has no figures in the target's
/// convention, when their scales differ, and on a distance that is unknown or does not apply.
Result<TargetGap> target_gap(const Instrument& instrument, const ComparedRun& run, const GapGoal& goal,
                             std::span<const std::string> distances, const ProfileOptions& options);

/// Differences of two runs' distances from the same target, second minus first, over the dimensions that both define;
/// paired where they share their units, Holm-corrected over all distances.
struct GapDifference {
  Difference difference;
  bool agreement = false;  ///< a positive difference means that the second run is nearer
  /// Share of the first run's distance that is gone in the second, 1 − second / first, inside each replicate. Undefined for
  /// agreements, unpaired runs and where the first run's distance is not above 0.
  Estimate cut = {};
};
struct ComparedGap {
  TargetGap first, second;
  std::vector<GapDifference> differences;
};
Result<ComparedGap> compare_gaps(const Instrument& instrument, const ComparedRun& first, const ComparedRun& second,
                                 const GapGoal& goal, std::span<const std::string> distances,
                                 const ProfileOptions& options);

}  // namespace valence
