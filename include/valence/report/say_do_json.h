#pragma once

#include "valence/base/json.h"
#include "valence/instruments/say_do.h"
#include "valence/report/report.h"

namespace valence {

/// What `valence saydo` and a study's step print: docs/formats.md, `saydo`.
Json say_do_json(const ReportRun& says, const ReportRun& does, const SayDo& result);

}  // namespace valence
