#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "valence/instruments/measure.h"

namespace valence {

/// A dimension on both sides: deviations from the side's own mean over the compared dimensions, each in its own scale.
struct SayDoRow {
  std::string dimension;
  double says = 0.0, does = 0.0;
  double says_rank = 0.0, does_rank = 0.0;  ///< 1 = highest; ties share their mean rank
};

/// Agreement between what a subject says of itself and what it does. Only orders are compared: ratings and readings have
/// no common unit and are never subtracted from each other.
struct SayDo {
  std::vector<SayDoRow> rows;               ///< by falling self-report
  std::vector<std::string> left_out;        ///< dimensions undefined on either side
  Estimate spearman;                        ///< interval over both sides' random units, resampled independently
  double says_reliability = 0.0, does_reliability = 0.0;  ///< split half over random units; NaN where it cannot be formed
  Estimate disattenuated;                   ///< spearman / √(product of reliabilities); undefined below kLeastReliability
  double p = 1.0;                           ///< permutation, two-sided: the orders have nothing to do with each other
};

inline constexpr std::size_t kFewestSayDo = 4;

/// `says`: a run with "centred" figures per dimension (questionnaire); `does`: one with "unit" figures (fulcra), both in
/// one value space. Fails with kUsage on another space, on a run without such figures (saying which), and where fewer
/// than kFewestSayDo dimensions are defined on both sides.
Result<SayDo> say_do(const Instrument& says_by, const ComparedRun& says, const Instrument& does_by, const ComparedRun& does,
                     const ProfileOptions& options);

}  // namespace valence
