#pragma once

#include <string>

#include "valence/report/study_report.h"
#include "valence/study/run.h"

namespace valence {

/// Gathers what a finished plan's runs hold. kUsage when a step has no result yet, saying how to get it.
Result<StudyReport> gather_report(const Study& study, const StudyPlan& plan, const Store& store);

struct WrittenReport {
  std::string html, json;  ///< paths
};
/// Writes the report where the study says, and its figures as JSON beside it.
Result<WrittenReport> write_study_report(const Study& study, const StudyPlan& plan, const Store& store);

}  // namespace valence
