#pragma once

#include <string>

#include "panels.h"
#include "valence/report/study_report.h"

namespace valence::report {

/// Distances of one measurement from a target: pictures, one per range, and the table with what each cannot tell.
Result<std::string> gap_panel(const ReportedGap& gap, Ids& ids);

}  // namespace valence::report
