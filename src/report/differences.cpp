#include <fmt/format.h>

#include "difference_forest.h"
#include "panels.h"
#include "valence/base/text.h"
#include "valence/instruments/measure.h"
#include "valence/report/report_files.h"
#include "wording.h"

namespace valence::report {
namespace {

Result<std::vector<Difference>> differences_of(const ReportRun& first, const ReportRun& second) {
  VALENCE_TRY(const auto a, settings_of(first));
  VALENCE_TRY(const auto b, settings_of(second));
  return compare(*first.instrument, {&a, &first.answers}, {&b, &second.answers}, {});
}

std::string difference_rows(const std::vector<Difference>& differences) {
  std::string rows;
  for (const auto* d : headline_of(differences)) {
    rows += fmt::format("<tr>{}{}{}{}{}</tr>\n", cell(row_label(d->estimand)), number_cell(significant(d->estimate.value)), number_cell(interval_cell(d->estimate)),
                        number_cell(p_text(d->p_holm)), number_cell(std::to_string(d->estimate.count)));
  }
  return rows;
}

/// One picture for each axis.
std::string difference_pictures(const ReportRun& first, const ReportRun& second, const std::vector<Difference>& differences, Ids& ids) {
  std::string html;
  for (const auto& rows : by_axis(headline_of(differences))) {
    const bool paired = rows.front()->paired;
    html += difference_forest(rows,
                              {.title = "Differences",
                               .series = fmt::format("{} minus {}", series_name(second), series_name(first)),
                               .reference = "no difference",
                               .caption = fmt::format("Bar: 95 % interval of the difference over {}s, {}; dashed: no difference.{}", first.instrument->card().random_unit,
                                                      paired ? "paired" : "not paired",
                                                      paired ? " Unlike the intervals of the two figures, it leaves out what both have in common." : "")},
                              ids);
  }
  return html.empty() ? "" : fmt::format("<div class=\"pictures\">\n{}</div>\n", html);
}

std::string differences_between(const ReportRun& first, const ReportRun& second, Ids& ids) {
  const auto heading = fmt::format("<h3>{} minus {}</h3>\n", html_escape(second.profile.subject), html_escape(first.profile.subject));
  const auto differences = differences_of(first, second);
  if (!differences) return heading + fmt::format("<p class=\"note\">Not compared: {}.</p>\n", html_escape(differences.error().message));
  const bool paired = !differences->empty() && differences->front().paired;
  const auto few = few_units_note(*differences);
  return heading + difference_pictures(first, second, *differences, ids) +
         fmt::format("<div class=\"box\"><table><thead><tr><th>figure</th><th class=\"n\">difference</th><th class=\"n\">95 % interval</th>"
                     "<th class=\"n\">p (Holm)</th><th class=\"n\">n</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
                     "<p class=\"note\">{}; p is corrected for the {} figures of the instrument (valence compare {} {} --all).{}{}</p>\n",
                     difference_rows(*differences), paired ? "Paired over the same units" : "The runs share no units: not paired", differences->size(),
                     first.record.id, second.record.id, few.empty() ? "" : fmt::format(" {}.", few),
                     failed_gate(first) || failed_gate(second) ? " At least one of the two is not interpretable: the difference says nothing about values." : "");
}

}  // namespace

std::string differences_panel(const std::vector<const ReportRun*>& runs, Ids& ids) {
  std::string html;
  for (std::size_t i = 1; i < runs.size(); ++i) html += differences_between(*runs.front(), *runs[i], ids);
  return html;
}

}  // namespace valence::report
