#pragma once

#include "valence/instruments/target_gap.h"
#include "valence/report/report.h"

namespace valence {

/// 1 or 2 for the nearer run; 0 where nothing may be claimed: a run is called nearer only where both are interpretable
/// and Holm's p is below .05.
int nearer_run(const ReportRun& first, const ReportRun& second, const GapDifference& gap);

/// Distances of one run from one target, as `valence gap --json` gives them (docs/formats.md).
Json gap_json(const Target& target, const TargetGap& gap);
/// Two runs against one target, as `valence compare --target --json` gives them.
Json compared_gap_json(const ReportRun& first, const ReportRun& second, const Target& target, const ComparedGap& gaps);

}  // namespace valence
