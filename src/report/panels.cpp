#include "panels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <nlohmann/json.hpp>

#include "svg.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

std::string nested_rows(const Json& object, const std::string& prefix) {
  std::string rows;
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      rows += nested_rows(value, prefix + key + ".");
    } else {
      const auto text = value.is_string() ? value.get<std::string>() : value.dump();
      rows += fmt::format("<tr><th>{}</th>{}</tr>\n", html_escape(prefix + key), cell(text));
    }
  }
  return rows;
}

constexpr double kCheckLine = 16, kCheckBody = 38;
constexpr std::size_t kCheckColumns = 40;

double check_height(const ValidityCheck& check) {
  return kCheckLine * static_cast<double>(wrap(check.label, kCheckColumns).size()) + kCheckBody;
}

/// Label above, the axis from 0 to 1 below it with the threshold as a dashed tick, figure and result at the right.
void draw_check(Svg& svg, const ValidityCheck& check, double y) {
  const Axis axis{0.0, 1.0, 10, 188};
  const auto& e = check.estimate;
  const auto style = check.passed ? std::string("good") : std::string("bad");
  for (const auto& part : wrap(check.label, kCheckColumns)) svg.text(6, (y += kCheckLine) - 4, part, "strong");
  svg.line(axis.start, y + 12, axis.end, y + 12, "grid");
  svg.line(axis.at(check.threshold), y + 3, axis.at(check.threshold), y + 21, "reference");
  if (e.has_interval()) svg.line(axis.at(e.low), y + 12, axis.at(e.high), y + 12, "interval " + style);
  if (std::isfinite(e.value)) svg.circle(axis.at(e.value), y + 12, 4.5, style);
  svg.text(354, y + 10, figure_text(e), "small", Anchor::kEnd);
  svg.text(354, y + 25, fmt::format("{} (at {} {})", check.passed ? "passed" : "FAILED", check.at_least ? "least" : "most", significant(check.threshold)),
           "small soft", Anchor::kEnd);
}

std::string check_rows(const Validity& validity) {
  std::string rows;
  for (const auto& check : validity.checks) {
    rows += fmt::format("<tr>{}{}{}{}<td class=\"{}\">{}</td>{}</tr>\n", cell(check.label), number_cell(significant(check.estimate.value)),
                        number_cell(interval_cell(check.estimate)),
                        number_cell(fmt::format("{} {}", check.at_least ? "≥" : "≤", significant(check.threshold))),
                        check.passed ? "pass" : "fail", check.passed ? "passed" : "failed",
                        cell(check.passed ? "" : check.advice));
  }
  return rows;
}

std::string probability_bars(const AnswerRow& row) {
  std::string text;
  for (std::size_t i = 0; i < row.probability.size(); ++i) {
    text += fmt::format("{}{}", i > 0 ? " · " : "", significant(row.probability[i], 2));
  }
  const double top = row.probability.empty() ? 0.0 : *std::max_element(row.probability.begin(), row.probability.end());
  return fmt::format("<td class=\"p\">{}<span style=\"width:{:.0f}%\"></span></td>", html_escape(text), 100 * top);
}

std::string answer_row(const AnswerRow& row) {
  return fmt::format("<tr>{}{}{}{}{}{}{}{}{}</tr>\n", cell(row.unit), cell(row.condition), cell(row.item), cell(row.variant),
                     cell(row.layout), cell(to_string(row.status)), probability_bars(row), number_cell(significant(row.captured_mass)),
                     fmt::format("<td class=\"q\">{}</td>", html_escape(printable(row.text))));
}

struct TableOfAnswers {
  std::string_view title, noun;
  std::size_t most;
};

std::string shown_note(const ReportRun& run, std::size_t shown, std::size_t total, std::string_view noun) {
  if (shown == total) return fmt::format("{}. As a file: valence export {} --format csv", counted(total, noun), run.record.id);
  return fmt::format("The first {} of {}. All of them: valence export {} --format csv", with_thousands(shown), counted(total, noun), run.record.id);
}

std::string answer_table(const ReportRun& run, const std::vector<AnswerRow>& answers, const TableOfAnswers& table, Ids& ids) {
  if (answers.empty()) return "";
  const auto shown = std::min(table.most, answers.size());
  const auto id = ids.next("answers");
  std::string rows;
  for (std::size_t i = 0; i < shown; ++i) rows += answer_row(answers[i]);
  return fmt::format("<details><summary>{}: run {}, {}</summary>\n<p class=\"note\">{}</p>\n"
                     "<p class=\"search\"><input type=\"search\" hidden=\"hidden\" data-filter=\"{}\" placeholder=\"filter\" aria-label=\"filter the answers\"/></p>\n"
                     "<div class=\"box\"><table id=\"{}\"><thead><tr><th>unit</th><th>condition</th><th>item</th><th>wording</th><th>layout</th><th>status</th>"
                     "<th>probability of each option, in the item's order</th><th class=\"n\">captured mass</th><th>said</th></tr></thead>\n<tbody>\n{}</tbody></table></div></details>\n",
                     table.title, run.record.id, html_escape(run.profile.subject), html_escape(shown_note(run, shown, answers.size(), table.noun)), id, id, rows);
}

}  // namespace

std::string Ids::next(std::string_view stem) { return fmt::format("{}-{}", stem, ++count_); }

std::string cell(std::string_view text) { return fmt::format("<td>{}</td>", html_escape(text)); }
std::string number_cell(std::string_view text) { return fmt::format("<td class=\"n\">{}</td>", html_escape(text)); }

std::string figure(std::string_view svg, std::string_view caption) {
  return fmt::format("<figure>\n<div class=\"box\">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n", svg, html_escape(caption));
}

constexpr std::string_view kReadingNote =
    "<p class=\"note\">±: how far the evaluator that read the answers was off, at most, on responders that it never saw (95 % range "
    "for one more of them). More answers do not lessen it; labels of this subject's own answers do.</p>\n";

std::string figures_table(const Profile& profile, bool headline_only) {
  std::string rows;
  bool read = false;
  const auto few = few_units_note(profile);
  std::vector<std::string> methods;
  for (const auto& entry : profile.entries) {
    const auto& [estimand, e] = std::tie(entry.estimand, entry.estimate);
    if (headline_only && !estimand.headline) continue;
    read = read || entry.systematic > 0.0;
    rows += fmt::format("<tr>{}{}{}{}{}{}</tr>\n", cell(row_label(estimand)), number_cell(significant(e.value)), number_cell(interval_cell(entry)),
                        number_cell(significant(entry.uniform)), cell(estimand.unit), number_cell(std::to_string(e.count)));
    if (e.has_interval() && std::find(methods.begin(), methods.end(), e.method) == methods.end()) methods.push_back(e.method);
  }
  return fmt::format("<div class=\"box\"><table><thead><tr><th>figure</th><th class=\"n\">estimate</th><th class=\"n\">95 % interval</th>"
                     "<th class=\"n\">uniform responder</th><th>unit</th><th class=\"n\">n</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n{}{}{}", rows,
                     methods.empty() ? "" : fmt::format("<p class=\"note\">Intervals: {}.</p>\n", html_escape(join(methods, "; "))),
                     few.empty() ? "" : fmt::format("<p class=\"note\">{}.</p>\n", few), read ? kReadingNote : "");
}

std::string probes_note(const ReportRun& run) {
  const auto count = run.answers.probes.size();
  if (run.instrument->card().open_text) {
    return fmt::format("The evaluator was held against {} of labelled responses by responders that it was kept from.", counted(count, "mean reading"));
  }
  return fmt::format("Probe questions with known answers were put beside the instrument's own ({}) and are never scored.", counted(count, "probe answer"));
}

std::string validity_panel(const ReportRun& run, Ids& ids) {
  const auto& validity = run.profile.validity;
  if (!validity.assessed) return fmt::format("<p>Validity was not assessed: {}.</p>\n", html_escape(validity.note));
  double height = 4;
  for (const auto& check : validity.checks) height += check_height(check);
  Svg svg(ids.next("validity"), height, "Validity checks of " + run.profile.subject,
          validity.interpretable() ? "Every check passed." : "Failed: " + validity.reason());
  double y = 2;
  for (const auto& check : validity.checks) {
    draw_check(svg, check, y);
    y += check_height(check);
  }
  return figure(svg.str(), fmt::format("Does {} answer the questions, or something else? The scale runs from 0 to 1 (what is below chance is drawn at 0); the dashed "
                                       "line is the threshold. A check passes by its estimate; its interval shows how sure that is. {}{} What each check "
                                       "means: docs/statistics.md, \"The validity gate\".", run.profile.subject, probes_note(run),
                                       validity.note.empty() ? "" : fmt::format(" Here {}.", validity.note))) +
         fmt::format("<details><summary>The checks as a table, with what to try: {}</summary>\n<div class=\"box\"><table><thead><tr><th>check</th>"
                     "<th class=\"n\">estimate</th><th class=\"n\">interval</th><th class=\"n\">threshold</th>"
                     "<th>result</th><th>try</th></tr></thead>\n<tbody>\n{}</tbody></table></div></details>\n", html_escape(run.profile.subject), check_rows(validity));
}

std::string provenance_panel(const ReportRun& run) {
  std::string rows = fmt::format("<tr><th>run</th>{}</tr>\n<tr><th>started</th>{}</tr>\n<tr><th>finished</th>{}</tr>\n",
                                 cell(std::to_string(run.record.id)), cell(run.record.started), cell(run.record.finished));
  if (const auto provenance = parse_json(run.record.provenance, "provenance")) rows += nested_rows(*provenance, "");
  if (const auto settings = parse_json(run.record.settings, "settings")) rows += nested_rows(*settings, "setting: ");
  return fmt::format("<details><summary>How it was measured: run {}, {}</summary>\n<div class=\"box\"><table><tbody>\n{}</tbody></table></div></details>\n",
                     run.record.id, html_escape(run.profile.subject), rows);
}

std::string answers_panel(const ReportRun& run, std::size_t most, Ids& ids) {
  return answer_table(run, run.answers.rows, {"Every answer", "answer", most}, ids) +
         answer_table(run, run.answers.probes, {run.instrument->card().open_text ? "Readings and labels of responders that the evaluator never saw"
                                                                                 : "Every probe question of the validity gate",
                                                "probe answer", most}, ids);
}

}  // namespace valence::report
