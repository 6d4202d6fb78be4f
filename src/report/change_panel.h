#pragma once

#include <string>

#include "panels.h"
#include "valence/base/json.h"
#include "valence/report/study_report.h"

namespace valence::report {

/// Pictures (arrows in circle or ring, dumbbells, changes) and tables of one before → after.
Result<std::string> change_panel(const MeasuredChange& change, Ids& ids);

/// The tax table, the drift, and the sample answers side by side.
Result<std::string> tax_panel(const ReportedTax& tax, Ids& ids);

/// What was told to the subject and what else was tried.
Result<std::string> alignment_panel(const ReportedAlignment& alignment);

/// Of a record's `pair_accuracy`: how many of the held-out prompts were trained on too, as a sentence behind others.
/// Empty where none were, and where the record does not say.
std::string trained_on_text(const Json& pair_accuracy);

}  // namespace valence::report
