#pragma once

#include <string>
#include <vector>

#include "valence/instruments/opinions.h"
#include "valence/report/report.h"

namespace valence {

// Gaps to targets of answer distributions (names_opinions), which are read from files.

/// The target of a file, for a run that can be held against it. kUsage for runs of other instruments, and when a map or a
/// distance was asked for, which are for targets of scores.
Result<OpinionTarget> opinions_for(const ReportRun& run, const std::string& file, const std::string& map,
                                   const std::vector<std::string>& distances);

}  // namespace valence
