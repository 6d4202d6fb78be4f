#include "gap_panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "difference_forest.h"
#include "filed.h"
#include "forest.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence {
namespace report {
namespace {

/// One distance as the step filed it.
struct FiledGap {
  std::string label, unit, blind;
  double low = 0.0, high = 0.0;  ///< of its range; infinite where it has no end
  double best = 0.0;             ///< the end of the range that no run beats
  Estimate estimate;
};

double end_of_range(const Json& end, double without) { return end.is_number() ? end.get<double>() : without; }

FiledGap filed_gap(const Json& json) {
  constexpr double kNoEnd = std::numeric_limits<double>::infinity();
  FiledGap gap;
  gap.label = json["label"].get<std::string>();
  gap.unit = json["unit"].get<std::string>();
  gap.blind = json.value("cannot_tell", std::string());
  gap.low = end_of_range(json["range"].front(), -kNoEnd);
  gap.high = end_of_range(json["range"].back(), kNoEnd);
  gap.best = json["agreement"].get<bool>() ? gap.high : gap.low;
  gap.estimate = estimate_of(json["estimate"]);
  return gap;
}

bool share_an_axis(const FiledGap& a, const FiledGap& b) {
  return a.low == b.low && a.high == b.high && a.unit == b.unit && a.best == b.best;
}

std::vector<std::vector<FiledGap>> gaps_by_axis(const Json& figures) {
  std::vector<std::vector<FiledGap>> groups;
  for (const auto& figure : figures) {
    auto gap = filed_gap(figure);
    const auto found = std::ranges::find_if(groups, [&](const auto& group) { return share_an_axis(group[0], gap); });
    auto& group = found == groups.end() ? groups.emplace_back() : *found;
    group.push_back(std::move(gap));
  }
  return groups;
}

/// Where a range has no end, the axis ends at the smallest round number that holds all that is drawn.
void end_axis(Forest& forest) {
  double most = 0.0;
  for (const auto& row : forest.rows) {
    const auto& e = row.points.front().estimate;
    for (const double x : {e.value, e.low, e.high}) most = std::isfinite(x) ? std::max(most, std::abs(x)) : most;
  }
  if (!std::isfinite(forest.low)) forest.low = -nice_bound(most);
  if (!std::isfinite(forest.high)) forest.high = nice_bound(most);
}

std::string gap_forest(const ReportedGap& gap, const std::vector<FiledGap>& rows, Ids& ids) {
  Forest forest{ids.next("gap"),
                "Distances from the target",
                "",
                {series_name(gap.run)},
                {},
                rows.front().low,
                rows.front().high,
                rows.front().unit,
                "the best there is"};
  for (const auto& row : rows) {
    forest.rows.push_back({row.label, "", {{0, row.estimate}}, row.best});
    forest.description += fmt::format("{}: {}. ", row.label, figure_text(row.estimate));
  }
  end_axis(forest);
  return figure(draw_forest(forest),
                fmt::format("Mark: estimate; bar: 95 % interval over {}s; dashed: the best there is.",
                            gap.run.instrument->card().random_unit));
}

std::string distance_rows(const Json& figures) {
  std::string rows;
  for (const auto& figure : figures) {
    const auto gap = filed_gap(figure);
    rows += fmt::format("<tr>{}{}{}{}{}{}{}</tr>\n", cell(gap.label), number_cell(significant(gap.estimate.value)),
                        number_cell(interval_cell(gap.estimate)), cell(gap.unit),
                        number_cell(std::to_string(gap.estimate.count)), number_cell(significant(gap.best)),
                        cell(gap.blind.empty() ? "–" : gap.blind));
  }
  return rows;
}

/// What was compared, what was not, and what the intervals leave out.
std::string gap_note(const ReportedGap& gap, const Json& table) {
  constexpr std::size_t kNamed = 12;
  const auto convention = table["convention"].get<std::string>();
  const auto* noun = convention == "distributions" ? "question" : "dimension";
  auto note = fmt::format("Convention: {}. {} compared.", convention, counted(table["dimensions"].size(), noun));
  const auto unmeasured = table["unmeasured"].get<std::vector<std::string>>();
  if (!unmeasured.empty())
    note += fmt::format(" Left out of every distance, since the run has no figure for it: {}.",
                        unmeasured.size() > kNamed ? counted(unmeasured.size(), noun) : join(unmeasured, ", "));
  const bool read = std::ranges::any_of(gap.run.profile.entries, [](const auto& e) { return e.systematic > 0.0; });
  if (read) note += " The answers were read by an evaluator: its own error is not in these intervals.";
  if (failed_gate(gap.run))
    note += " The run is not interpretable: this gap says nothing about values and ranks nobody.";
  return note;
}

}  // namespace

Result<std::string> gap_panel(const ReportedGap& gap, Ids& ids) {
  VALENCE_TRY(const auto table, parse_json(gap.table, gap.name));
  const auto& figures = table["figures"];
  std::string drawn;
  for (const auto& rows : gaps_by_axis(figures)) drawn += gap_forest(gap, rows, ids);
  const auto target = table["target"]["label"].get<std::string>();
  return fmt::format(
      "<h3>How far {} is from {}</h3>\n<div class=\"pictures\">\n{}</div>\n<div "
      "class=\"box\"><table><thead><tr><th>distance</th><th class=\"n\">estimate</th><th class=\"n\">95 % "
      "interval</th><th>unit</th><th class=\"n\">n</th><th class=\"n\">at best</th><th>cannot "
      "tell</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n<p class=\"note\">{}</p>\n",
      html_escape(series_name(gap.run)), html_escape(target), drawn, distance_rows(figures),
      html_escape(gap_note(gap, table)));
}

}  // namespace report

std::string gap_verdict(const ReportedGap& gap) {
  const auto& subject = gap.run.profile.subject;
  if (report::failed_gate(gap.run))
    return fmt::format(
        "Not interpretable: what {} answered does not show its values ({}), so nothing is said about a distance.",
        subject, gap.run.profile.validity.reason());
  const auto table = parse_json(gap.table, gap.name);
  if (!table || (*table)["figures"].empty()) return fmt::format("{}: no distance could be computed.", gap.name);
  const auto first = report::filed_gap((*table)["figures"].front());
  return fmt::format("{} against {}: {} {}; the best there is: {}.", subject,
                     (*table)["target"]["label"].get<std::string>(), first.label,
                     report::figure_with_unit(first.estimate, first.unit), significant(first.best));
}

}  // namespace valence
