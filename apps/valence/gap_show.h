#pragma once

#include <string>
#include <vector>

#include "session.h"
#include "valence/instruments/target_gap.h"
#include "valence/report/gap_json.h"
#include "valence/report/report.h"
#include "valence/report/report_files.h"
#include "valence/values/space_map.h"

namespace valence {

/// A line for figures that an evaluator read, whose error no interval over units carries; else empty.
std::string reading_note(const ReportRun& run);

std::string map_help();

/// The line of --help for --distance.
std::string distance_help();

/// Distances of one run from one target, with what each cannot tell and whether the run may be read at all.
std::string gap_text(const ReportRun& run, const Target& target, const TargetGap& gap, const Terminal& terminal);

/// Two runs against one target. A run is called nearer only where both are interpretable and Holm's p is below .05.
std::string compared_gap_text(const ReportRun& first, const ReportRun& second, const Target& target,
                              const ComparedGap& gaps, const Terminal& terminal);

}  // namespace valence
