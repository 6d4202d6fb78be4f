#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "valence/base/csv.h"
#include "valence/base/result.h"
#include "valence/targets/respondent.h"
#include "valence/values/target.h"

namespace valence {

struct SurveyOptions {
  std::string where = {};  ///< Filter's language; empty = everybody
  ScoreScale scale = ScoreScale::kCentred;
  bool unweighted = false;               ///< leave the form's weights aside; else they must be in the file
  std::string cluster = {};              ///< column of sampling clusters; empty: respondents were drawn one by one
  std::optional<int> most_like_me = {};  ///< overrides the form's
  bool any_order = false;                ///< take answers whose order is the reverse of every known population's
};

/// What became of the rows of the file: all of them, once.
struct SurveyCounts {
  std::size_t rows = 0;
  std::size_t outside = 0;          ///< the filter says no
  std::size_t unknown = 0;          ///< the filter cannot say: an answer that it needs is missing
  std::size_t missing = 0;          ///< too few answers
  std::size_t straight_lining = 0;  ///< one answer too often
  std::size_t weightless = 0;       ///< a weight of 0
  std::size_t used = 0;
};

struct SurveyTarget {
  Target target;  ///< id and label are the caller's to give
  SurveyCounts counts;
  std::string weighting;   ///< "anweight", "pspwght × pweight", "none"
  double effective = 0.0;  ///< respondents that would say as much unweighted: (Σw)² / Σw² (Kish)
  std::string unit;        ///< what intervals are over: "respondent", or the cluster's column
};

/// Raw answers as a group's target: reversal, rules, each person's scores, weighted means with 95 % intervals over
/// respondents or clusters (Student t on the linearised mean; strata are not used, which makes intervals wider, not
/// narrower, than the design's). One respondent gives a target without intervals.
///
/// Fails with kUsage on a missing column, an answer outside the scale, a missing or negative weight, when nobody is
/// left, and when the group orders the values the reverse of every known population: answers already turned round.
Result<SurveyTarget> import_survey(const CsvTable& table, const SurveyForm& form, const SurveyOptions& options);

/// One person's answers as a target, by the same rules. Fails with kUsage when they leave the person out.
Result<Target> person_target(const SurveyForm& form, std::span<const double> answers, ScoreScale scale);

}  // namespace valence
