#pragma once

#include <string>
#include <vector>

#include "valence/targets/survey.h"

namespace valence {

/// A respondent who counts.
struct Respondent {
  PersonScores scores;
  double weight;
  std::size_t cluster;
};

struct SurveyRows {
  std::vector<Respondent> respondents;
  SurveyCounts counts;
  std::string weighting;
};

/// The rows of a table as respondents, by filter, rules and weights. Errors as import_survey.
Result<SurveyRows> read_survey_rows(const CsvTable& table, const SurveyForm& form, const Space& space,
                                    const SurveyOptions& options);

}  // namespace valence
