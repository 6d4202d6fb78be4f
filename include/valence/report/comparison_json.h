#pragma once

#include <span>

#include "valence/base/json.h"
#include "valence/instruments/agreement.h"
#include "valence/instruments/measure.h"
#include "valence/report/report.h"

namespace valence {

/// Two runs of one instrument, as `valence compare --json` gives them (docs/formats.md).
Json comparison_json(const ReportRun& first, const ReportRun& second, std::span<const Difference> differences,
                     const AnswerAgreement& agreement);

}  // namespace valence
