#pragma once

#include <string>

#include "panels.h"
#include "valence/report/study_report.h"

namespace valence::report {

/// Accuracy by content against chance, by place and by letter, side by side before and after.
Result<std::string> content_panel(const ReportedContent& content);

/// Ranks of the values in what is said and in what is done, with their correlation.
Result<std::string> say_do_panel(const ReportedSayDo& say_do);

}  // namespace valence::report
