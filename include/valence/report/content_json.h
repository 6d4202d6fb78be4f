#pragma once

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/report/report.h"
#include "valence/values/target.h"

namespace valence {

/// Whether a run's answers follow a target by their content, and, where `before` is not null, whether those of the run
/// before it did: what `valence content` prints and a study's step files (docs/formats.md, "Content tests"). kUsage for
/// runs of different instruments; otherwise errors as content_test.
Result<Json> content_json(const ReportRun* before, const ReportRun& after, const Target& target);

}  // namespace valence
