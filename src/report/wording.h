#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "valence/report/report.h"

namespace valence::report {

/// "22.9° [21.8, 24.1]" for degrees, "1.2 [0.9, 1.5] scale points" for other units.
std::string figure_with_unit(const Estimate& estimate, std::string_view unit);
/// "[21.8, 24.1]", "–" when there is no interval: no cell of a table stays empty.
std::string interval_cell(const Estimate& estimate);
/// The same, with the error that more units would not lessen: "[0.11, 0.15] ± 0.08".
std::string interval_cell(const ProfileEntry& entry);
/// "< 0.001" below that, "–" where there is no p.
std::string p_text(double p);
/// "1 dialogue", "30 dialogues".
std::string counted(std::size_t count, std::string_view noun);
/// The subject's name as shown: says when it is simulated and when the gate failed.
std::string series_name(const ReportRun& run);
/// Whether the gate was run and failed: figures are then shown, marked and never ranked.
bool failed_gate(const ReportRun& run);

/// Lines of at most `columns` code points, broken at spaces; a longer word is broken where it must be.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

}  // namespace valence::report
