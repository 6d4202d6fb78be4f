#pragma once

#include <span>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/instruments/instrument.h"
#include "valence/instruments/measure.h"
#include "valence/store/store.h"
#include "valence/values/profile.h"

namespace valence {

/// One run as the report needs it; all of it comes out of the store.
struct ReportRun {
  RunRecord record;
  Profile profile;
  AnswerTable answers;
  UnitValues units;        ///< drawn as faint dots where a picture has room for them; may be empty
  const Instrument* instrument = nullptr;
  bool simulated = false;  ///< a scripted subject of known truth: drawn beside, and said so
};

struct ReportOptions {
  std::string title;       ///< empty: made from the runs
  std::string note;        ///< a sentence under the title ("sized to eight minutes; the full run is …")
  std::size_t max_answers = 500;  ///< rows of answers shown; the rest is said to be in the export
};

/// Self-contained HTML (no network, works without JavaScript), Markdown, or JSON of the same figures.
Result<std::string> html_report(std::span<const ReportRun> runs, const ReportOptions& options);
Result<std::string> markdown_report(std::span<const ReportRun> runs, const ReportOptions& options);
Result<std::string> json_report(std::span<const ReportRun> runs, const ReportOptions& options);

/// The sentence that a manager understands, hedged by the interval; "Not interpretable: …" when the gate failed.
std::string verdict(const ReportRun& run);

}  // namespace valence
