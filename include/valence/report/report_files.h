#pragma once

#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/report/report.h"
#include "valence/store/store.h"

namespace valence {

/// A run with its profile and answers, out of the store. kUsage when it is not finished.
Result<ReportRun> load_report_run(const Store& store, RunId run);

/// The settings that a run was made with.
Result<Settings> settings_of(const ReportRun& run);

/// Writes a report of runs; the ending of `path` chooses HTML, Markdown (.md) or JSON (.json).
Result<void> write_report(const Store& store, const std::vector<RunId>& runs, const std::string& path,
                          const ReportOptions& options);

/// out/INSTRUMENT-SUBJECT-RUN.html beside the store, with anything but letters, digits and dots turned into hyphens. A
/// store that is not called valence.db has its name in front of the run: two stores of one folder keep apart.
std::string default_report_path(const std::filesystem::path& store, const std::string& instrument, const std::string& subject, RunId run);

}  // namespace valence
