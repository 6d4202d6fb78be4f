#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "change_panel.h"
#include "content_panel.h"
#include "gap_panel.h"
#include "panels.h"
#include "trace.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/report/study_report.h"
#include "wording.h"

namespace valence {
namespace {

using report::Ids;

bool is_readable(const MeasuredChange& change) {
  return !report::failed_gate(change.before) && !report::failed_gate(change.after);
}

std::string verdict_line(const std::string& verdict, bool readable) {
  const auto text = html_escape(verdict);
  return readable ? fmt::format("<p class=\"lead\">{}</p>\n", text)
                  : fmt::format("<div class=\"banner\"><p><strong>{}</strong></p></div>\n", text);
}

Result<std::string> verdicts(const StudyReport& study) {
  std::string html;
  for (const auto& alignment : study.alignments) {
    const auto text = alignment_verdict(alignment);
    if (!text.empty()) html += verdict_line(text, true);
  }
  for (const auto& change : study.changes) html += verdict_line(headline(study, change), is_readable(change));
  for (const auto& gap : study.gaps) html += verdict_line(gap_verdict(gap), !report::failed_gate(gap.run));
  for (const auto& content : study.contents) {
    VALENCE_TRY(const auto text, content_verdict(content));
    html += verdict_line(text, true);
  }
  for (const auto& tax : study.taxes) {
    VALENCE_TRY(const auto text, tax_verdict(tax));
    html += verdict_line(text, true);
  }
  for (const auto& alignment : study.alignments) {
    if (const auto text = missing_tax(alignment); !text.empty()) html += verdict_line(text, true);
  }
  for (const auto& [name, run] : study.measurements) html += verdict_line(verdict(run), !report::failed_gate(run));
  return html;
}

std::string simulated_tag(bool simulated) {
  return simulated ? " <span class=\"tag\">simulated subject of known truth</span>" : "";
}

Result<std::string> changes_section(const StudyReport& study, Ids& ids) {
  std::string html;
  for (const auto& change : study.changes) {
    const auto& card = change.before.instrument->card();
    html += fmt::format("<h2>{}{}</h2>\n<p>{} {}</p>\n<p class=\"note\">{}: run {} before, run {} after.</p>\n",
                        html_escape(card.title), simulated_tag(change.before.simulated || change.after.simulated),
                        html_escape(card.measures), html_escape(card.limits), html_escape(change.name),
                        change.before.record.id, change.after.record.id);
    VALENCE_TRY(const auto panel, report::change_panel(change, ids));
    html += panel;
  }
  return html;
}

/// Drawn as a report of the run alone would be: what was measured by itself is compared with nothing.
Result<std::string> measurements_section(const StudyReport& study, Ids& ids) {
  std::string html;
  for (const auto& [name, run] : study.measurements) {
    const auto& card = run.instrument->card();
    html += fmt::format("<h2>{}: {}{}</h2>\n<p>{} {}</p>\n<p class=\"note\">{}, run {}.</p>\n", html_escape(card.title),
                        html_escape(run.profile.subject), simulated_tag(run.simulated), html_escape(card.measures),
                        html_escape(card.limits), html_escape(name), run.record.id);
    VALENCE_TRY(const auto drawn, report::pictures({&run}, ids));
    html += drawn + report::figures_table(run.profile, true);
  }
  return html;
}

Result<std::string> gaps_section(const StudyReport& study, Ids& ids) {
  if (study.gaps.empty()) return std::string();
  std::string html = "<h2>How far from a target</h2>\n";
  for (const auto& gap : study.gaps) {
    VALENCE_TRY(const auto panel, report::gap_panel(gap, ids));
    html += panel;
  }
  return html;
}

Result<std::string> contents_section(const StudyReport& study) {
  if (study.contents.empty()) return std::string();
  std::string html =
      "<h2>Is it the content that was learned?</h2>\n<p>A figure may move because letters or places moved. Only where "
      "answers are the target's above what place alone and what any other direction with noise would reach, and the "
      "gate "
      "passes, is content claimed.</p>\n";
  for (const auto& content : study.contents) {
    VALENCE_TRY(const auto verdict, content_verdict(content));
    VALENCE_TRY(const auto panel, report::content_panel(content));
    html += fmt::format("{}<p><strong>{}</strong></p>\n", panel, html_escape(verdict));
  }
  return html;
}

Result<std::string> say_dos_section(const StudyReport& study) {
  if (study.say_dos.empty()) return std::string();
  std::string html =
      "<h2>Does it do what it says of itself?</h2>\n<p>Only orders are compared: ratings and readings have no common "
      "unit. Each side as deviations from its own mean, in its own scale.</p>\n";
  for (const auto& say_do : study.say_dos) {
    VALENCE_TRY(const auto panel, report::say_do_panel(say_do));
    html += panel;
  }
  return html;
}

Result<std::string> taxes_section(const StudyReport& study, Ids& ids) {
  if (study.taxes.empty()) return std::string();
  std::string html = "<h2>What it cost</h2>\n";
  for (const auto& tax : study.taxes) {
    VALENCE_TRY(const auto panel, report::tax_panel(tax, ids));
    html += panel;
  }
  return html;
}

std::string trace_rows(const OptimisationTrace& trace) {
  std::string rows;
  for (const auto& point : trace.points) {
    rows += fmt::format("<tr>{}{}{}{}</tr>\n", report::number_cell(significant(point.step)),
                        report::number_cell(significant(point.kl)), report::number_cell(significant(point.proxy)),
                        report::number_cell(significant(point.held_out)));
  }
  return rows;
}

std::string traces_section(const StudyReport& study, Ids& ids) {
  if (study.traces.empty()) return "";
  std::string html =
      "<h2>Was the reward over-optimised?</h2>\n<p>The reward that was optimised is no evidence: it rises whatever "
      "happens. A held-out reward that falls while it rises is a warning.</p>\n";
  for (const auto& trace : study.traces) {
    html += fmt::format(
        "<div class=\"pictures\">\n{}</div>\n<details><summary>Every step: {}</summary>\n<div "
        "class=\"box\"><table><thead><tr><th class=\"n\">step</th><th class=\"n\">KL</th>"
        "<th class=\"n\">reward</th><th class=\"n\">held-out "
        "reward</th></tr></thead>\n<tbody>\n{}</tbody></table></div></details>\n",
        report::figure(report::draw_trace(trace, ids.next("trace")),
                       "Both rewards over the drift from the start, in the order of the steps."),
        html_escape(trace.name), trace_rows(trace));
  }
  return html;
}

Result<std::string> alignments_section(const StudyReport& study) {
  if (study.alignments.empty()) return std::string();
  std::string html = "<h2>What was done</h2>\n";
  for (const auto& alignment : study.alignments) {
    VALENCE_TRY(const auto panel, report::alignment_panel(alignment));
    html += panel;
  }
  return html;
}

/// The runs whose figures the page shows.
std::vector<const ReportRun*> shown_runs(const StudyReport& study) {
  std::vector<const ReportRun*> runs;
  for (const auto& change : study.changes) runs.insert(runs.end(), {&change.before, &change.after});
  for (const auto& measured : study.measurements) runs.push_back(&measured.run);
  return runs;
}

std::string trust_section(const StudyReport& study, Ids& ids) {
  const auto runs = shown_runs(study);
  if (runs.empty()) return "";
  std::string html = "<h2>Can these figures be trusted?</h2>\n";
  for (const auto* run : runs) {
    html += fmt::format("<h3>Run {}: {}</h3>\n", run->record.id, html_escape(run->profile.subject)) +
            report::validity_panel(*run, ids) + report::position_panel(*run, ids);
  }
  return html;
}

std::string steps_section(const StudyReport& study) {
  std::string rows;
  for (const auto& step : study.steps) {
    rows += fmt::format("<tr>{}{}{}{}</tr>\n", report::cell(step.name), report::cell(step.what),
                        report::number_cell(step.run > 0 ? std::to_string(step.run) : "–"),
                        report::cell(step.hash.substr(0, 12)));
  }
  return fmt::format(
      "<h2>Steps</h2>\n<div class=\"box\"><table><thead><tr><th>step</th><th>what</th><th "
      "class=\"n\">run</th><th>hash</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
      "<p class=\"note\">A step's hash changes with its settings, its files and everything that it depends on. Every "
      "answer of a run: valence export RUN --format csv.</p>\n",
      rows);
}

std::string details_section(const StudyReport& study, Ids& ids) {
  const auto runs = shown_runs(study);
  if (runs.empty()) return "";
  std::string html = "<h2>How it was measured, and every answer</h2>\n";
  for (const auto* run : runs) {
    html += fmt::format("<details><summary>All figures: run {}, {}</summary>\n{}</details>\n", run->record.id,
                        html_escape(run->profile.subject), report::figures_table(run->profile, false)) +
            report::provenance_panel(*run) + report::answers_panel(*run, 200, ids);
  }
  return html;
}

Json difference_json(const MeasuredChange& change, const Difference& difference) {
  const auto *before = change.before.profile.find(difference.estimand.id),
             *after = change.after.profile.find(difference.estimand.id);
  return {{"id", difference.estimand.id},
          {"label", row_label(difference.estimand)},
          {"unit", difference.estimand.unit},
          {"headline", difference.estimand.headline},
          {"before", before ? to_json(before->estimate) : Json(nullptr)},
          {"after", after ? to_json(after->estimate) : Json(nullptr)},
          {"change", to_json(difference.estimate)},
          {"p", number_or_null(difference.p)},
          {"p_holm", number_or_null(difference.p_holm)},
          {"paired", difference.paired}};
}

Json measured_json(const ReportRun& run) {
  return {{"run", run.record.id},
          {"subject", run.profile.subject},
          {"interpretable", run.profile.validity.interpretable()},
          {"simulated", run.simulated}};
}

Result<Json> change_json(const MeasuredChange& change) {
  Json gap;
  if (change.target) {
    VALENCE_TRY(gap, parse_json(change.gap, change.name));
  }
  Json json = {{"step", change.name},
               {"verdict", change_verdict(change)},
               {"instrument", change.before.instrument->card().id},
               {"before", measured_json(change.before)},
               {"after", measured_json(change.after)},
               {"figures", Json::array()},
               {"gap", gap}};
  for (const auto& difference : change.differences) json["figures"].push_back(difference_json(change, difference));
  json["agreement"] = {{"items", change.agreement.items},
                       {"same_choice", number_or_null(change.agreement.same_choice)},
                       {"kappa", number_or_null(change.agreement.kappa)},
                       {"correlation", number_or_null(change.agreement.correlation)}};
  return json;
}

Json measurement_json(const ReportedMeasurement& measured) {
  Json json = {{"step", measured.name},
               {"verdict", verdict(measured.run)},
               {"run", measured.run.record.id},
               {"simulated", measured.run.simulated}};
  json.update(to_json(measured.run.profile));
  return json;
}

Result<Json> reported_gap_json(const ReportedGap& gap) {
  Json json = {{"step", gap.name}, {"verdict", gap_verdict(gap)}, {"instrument", gap.run.instrument->card().id}};
  json.update(measured_json(gap.run));
  VALENCE_TRY(const auto table, parse_json(gap.table, gap.name));
  json.update(table);
  return json;
}

Json samples_json(const ReportedTax& tax) {
  Json samples = Json::array();
  for (const auto& sample : tax.samples)
    samples.push_back({{"prompt", sample.prompt}, {"before", sample.before}, {"after", sample.after}});
  return samples;
}

Json drawn_json(const ReportedAlignment& alignment) {
  Json drawn = Json::array();
  for (const auto& one : alignment.drawn) {
    drawn.push_back({{"round", one.round},
                     {"prompt", one.prompt},
                     {"response", one.response},
                     {"reward", number_or_null(one.reward)}});
  }
  return drawn;
}

Json trace_json(const OptimisationTrace& trace) {
  Json json = {{"step", trace.name}, {"turn", nullptr}, {"points", Json::array()}};
  if (const auto turn = turning_point(trace)) json["turn"] = trace.points[*turn].step;
  for (const auto& point : trace.points) {
    json["points"].push_back({{"step", point.step},
                              {"kl", number_or_null(point.kl)},
                              {"reward", number_or_null(point.proxy)},
                              {"held_out", number_or_null(point.held_out)}});
  }
  return json;
}

}  // namespace

Result<std::string> study_html(const StudyReport& study) {
  Ids ids;
  const auto title = html_escape(study.title);
  std::string body = fmt::format("<h1>{}</h1>\n", title);
  if (!study.note.empty()) body += fmt::format("<p class=\"note\">{}</p>\n", html_escape(study.note));
  VALENCE_TRY(const auto verdict_lines, verdicts(study));
  body += verdict_lines;
  VALENCE_TRY(const auto changes, changes_section(study, ids));
  VALENCE_TRY(const auto measurements, measurements_section(study, ids));
  VALENCE_TRY(const auto gaps, gaps_section(study, ids));
  VALENCE_TRY(const auto contents, contents_section(study));
  VALENCE_TRY(const auto say_dos, say_dos_section(study));
  VALENCE_TRY(const auto taxes, taxes_section(study, ids));
  VALENCE_TRY(const auto alignments, alignments_section(study));
  body += changes + measurements + gaps + contents + say_dos + taxes + traces_section(study, ids) + alignments +
          trust_section(study, ids) + steps_section(study) + details_section(study, ids);
  return report::whole_page(title, body);
}

Result<std::string> study_json(const StudyReport& study) {
  Json json = {{"title", study.title},   {"note", study.note},           {"changes", Json::array()},
               {"taxes", Json::array()}, {"alignments", Json::array()},  {"traces", Json::array()},
               {"steps", Json::array()}, {"contents", Json::array()},    {"say_do", Json::array()},
               {"gaps", Json::array()},  {"measurements", Json::array()}};
  for (const auto& change : study.changes) {
    VALENCE_TRY(auto one, change_json(change));
    json["changes"].push_back(std::move(one));
  }
  for (const auto& measured : study.measurements) json["measurements"].push_back(measurement_json(measured));
  for (const auto& gap : study.gaps) {
    VALENCE_TRY(auto one, reported_gap_json(gap));
    json["gaps"].push_back(std::move(one));
  }
  for (const auto& content : study.contents) {
    VALENCE_TRY(auto table, parse_json(content.table, content.name));
    VALENCE_TRY(table["verdict"], content_verdict(content));
    table["step"] = content.name;
    json["contents"].push_back(std::move(table));
  }
  for (const auto& say_do : study.say_dos) {
    VALENCE_TRY(auto table, parse_json(say_do.table, say_do.name));
    table["step"] = say_do.name;
    json["say_do"].push_back(std::move(table));
  }
  for (const auto& tax : study.taxes) {
    VALENCE_TRY(const auto table, parse_json(tax.table, tax.name));
    VALENCE_TRY(const auto verdict, tax_verdict(tax));
    json["taxes"].push_back({{"step", tax.name},
                             {"verdict", verdict},
                             {"base", tax.base},
                             {"aligned", tax.aligned},
                             {"table", table},
                             {"samples", samples_json(tax)}});
  }
  for (const auto& alignment : study.alignments) {
    VALENCE_TRY(const auto record, parse_json(alignment.record, alignment.name));
    json["alignments"].push_back({{"step", alignment.name},
                                  {"method", alignment.method},
                                  {"base", alignment.base},
                                  {"system", alignment.system},
                                  {"record", record},
                                  {"run", alignment.run},
                                  {"without_tax", alignment.without_tax},
                                  {"drawn", drawn_json(alignment)}});
  }
  for (const auto& trace : study.traces) json["traces"].push_back(trace_json(trace));
  for (const auto& step : study.steps) {
    json["steps"].push_back({{"step", step.name},
                             {"what", step.what},
                             {"hash", step.hash},
                             {"run", step.run > 0 ? Json(step.run) : Json(nullptr)}});
  }
  return to_text(json, 2) + "\n";
}

}  // namespace valence
