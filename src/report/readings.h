#pragma once

#include <string>
#include <vector>

#include "panels.h"
#include "valence/stats/projection.h"

namespace valence::report {

/// A free response as an evaluator read it.
struct Reading {
  std::vector<std::string> tags;  ///< of the prompt
  bool refused = false;
};

struct Readings {
  std::vector<std::string> dimensions;  ///< ids
  std::vector<Reading> rows;
  stats::PointCloud cloud;              ///< a row per response, a column per dimension: p(upheld) − p(opposed)
};

/// Rows of route "read" with the responses that they belong to; a response that lacks a dimension is left out.
Readings readings_of(const AnswerTable& table);

/// Tags by falling number of responses, ties by name.
std::vector<std::string> tags_by_count(const Readings& readings);

/// Correlations of the prompts' tags with the values read: a row per tag, a column per dimension. Empty without any.
std::string correlation_figure(const ReportRun& run, Ids& ids);
/// Responses in the space of values, on their principal plane and by t-SNE, and the groups that they form. Empty where
/// nothing was read.
Result<std::string> response_maps(const ReportRun& run, Ids& ids);

}  // namespace valence::report
