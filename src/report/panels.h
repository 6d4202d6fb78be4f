#pragma once

#include <string>
#include <vector>

#include "valence/report/report.h"

namespace valence::report {

/// Unique ids within one file: "forest-3".
class Ids {
 public:
  std::string next(std::string_view stem);

 private:
  std::size_t count_ = 0;
};

// The parts of the page, each a well-formed fragment of HTML.
std::string figures_table(const Profile& profile, bool headline_only);
std::string validity_panel(const ReportRun& run, Ids& ids);
/// The share of each place per layout and the balanced figure beneath; empty without letter answers.
std::string position_panel(const ReportRun& run, Ids& ids);
/// Headline differences of every later run from the first, drawn and as a table, where settings are the same: paired over common units,
/// Holm-corrected within each pair. Empty for one run.
std::string differences_panel(const std::vector<const ReportRun*>& runs, Ids& ids);
std::string provenance_panel(const ReportRun& run);
/// Every answer and every probe, at most `most` of each.
std::string answers_panel(const ReportRun& run, std::size_t most, Ids& ids);
/// Published figures of the instrument in a panel of their own; empty when there are none.
Result<std::string> published_panel(const Instrument& instrument, Ids& ids);
/// The pictures of one instrument over all its runs: ring, circle or forests, by the value space.
Result<std::string> pictures(const std::vector<const ReportRun*>& runs, Ids& ids);

/// The whole document around `body`; `title` is escaped already.
Result<std::string> whole_page(std::string_view title, std::string_view body);

/// <figure> with a scrollable box and a caption (plain text).
std::string figure(std::string_view svg, std::string_view caption);
/// A cell of text or a number.
std::string cell(std::string_view text);
std::string number_cell(std::string_view text);

}  // namespace valence::report
