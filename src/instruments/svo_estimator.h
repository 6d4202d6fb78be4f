#pragma once

#include <map>
#include <memory>
#include <string>

#include "valence/instruments/instrument.h"
#include "valence/instruments/svo.h"
#include "valence/values/target.h"

namespace valence {

/// What an estimator of slider answers has to know beside the answers.
struct SliderScoring {
  BoundaryRule tie_rule = BoundaryRule::kUpper;
  std::string unit = "administration";    ///< the random unit, singular
  std::map<std::string, double> targets;  ///< condition → angle to be reached; conditions without one get no rationality
  Band band{0.0, 0.0};                    ///< reachable angles, for value rationality
};

/// Figures per condition, "<condition>." before each id ("" for none):
///   angle                       of the expected payoffs: the headline
///   mean_<unit>_angle           mean over units of the angle of the unit's expected payoffs
///   category.<name>, entropy    of one administration, from the exact joint over all 9^6 answers of each unit
///   value_rationality           expected value rationality of one administration (the same joint)
///   value_rationality_of_mean   of `angle`
///   hit_rate                    probability that one administration falls into the induced category
///   distance_from_uniform       |angle − angle of uniformly random answers|
///   lambda.<type>               share of the type in "λ·type + (1 − λ)·uniform"
///   secondary.distance.<motive>, secondary.index   when every unit answered the secondary items
/// A unit that lacks a primary answer has no angle and no category: it is left out of the means over units. The
/// expected payoffs are taken item by item over the units that answered.
Result<std::unique_ptr<Estimator>> slider_estimator(const AnswerTable& table, const SliderScoring& scoring);

}  // namespace valence
