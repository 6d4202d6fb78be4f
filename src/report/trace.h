#pragma once

#include <string>

#include "valence/report/study_report.h"

namespace valence::report {

/// The optimised reward and the held-out one over √KL from the start; the turn is marked and named.
std::string draw_trace(const OptimisationTrace& trace, const std::string& id);

}  // namespace valence::report
