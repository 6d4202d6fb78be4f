#pragma once

#include <string>
#include <vector>

#include "valence/report/report.h"

namespace valence::report {

/// The SVO ring: self–other plane, category sectors, each condition's angle with its interval, targets, the uniform
/// responder's ray. Runs are told apart by the mark's shape. `id` is unique in the file.
Result<std::string> draw_ring(const std::vector<const ReportRun*>& runs, const std::string& id);

}  // namespace valence::report
