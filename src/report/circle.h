#pragma once

#include <string>
#include <vector>

#include "valence/report/report.h"
#include "valence/values/target.h"

namespace valence::report {

/// Whether the runs' space is a circle of values, and its dimensions are among the headline figures.
Result<bool> stands_on_circle(const std::vector<const ReportRun*>& runs);

/// Schwartz's circle: a wedge per place of the circle, dimensions that share a wedge on two spokes, the one that comes
/// first in the file further out; higher-order groups at the rim; each score on its spoke with its interval.
/// `moved`: the runs are one subject before and after; an arrow leads from each score to the later one. `target` in the
/// figures' own convention is drawn as a ring on each spoke; null for none.
Result<std::string> draw_circle(const std::vector<const ReportRun*>& runs, const std::string& id, bool moved = false,
                                const Target* target = nullptr);

}  // namespace valence::report
