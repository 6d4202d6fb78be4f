#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "valence/stats/estimate.h"

namespace valence {

/// One dimension's scores over the respondents that have one.
struct SurveySample {
  std::vector<double> values, weights;
  std::vector<std::size_t> clusters;  ///< one each; respondents that were drawn one by one have one of their own
};

/// The weighted mean with its 95 % interval: Taylor linearisation, clusters drawn with replacement, Student t on
/// clusters − 1 degrees of freedom (Lumley 2010, ch. 2). With equal weights and a cluster per respondent it is the
/// ordinary t interval. One cluster: no interval. Nothing: NaN.
Estimate survey_mean(const SurveySample& sample, std::string_view unit);

}  // namespace valence
