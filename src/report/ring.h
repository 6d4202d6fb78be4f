#pragma once

#include <string>
#include <vector>

#include "valence/report/report.h"

namespace valence::report {

/// The SVO ring: self–other plane, category sectors, each condition's angle with its interval, targets, the uniform
/// responder's ray. Runs are told apart by the mark's shape. `id` is unique in the file.
/// `moved`: the runs are one subject before and after; an arrow leads from each angle to the later one.
Result<std::string> draw_ring(const std::vector<const ReportRun*>& runs, const std::string& id, bool moved = false);

}  // namespace valence::report
