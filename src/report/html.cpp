#include <fmt/format.h>

#include <algorithm>

#include "panels.h"
#include "readings.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/report/report.h"
#include "wording.h"

namespace valence {
namespace {

using report::Ids;

/// Runs of one instrument stand together, in the order in which the instruments first appear.
std::vector<std::vector<const ReportRun*>> by_instrument(std::span<const ReportRun> runs) {
  std::vector<std::vector<const ReportRun*>> groups;
  for (const auto& run : runs) {
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.front()->instrument == run.instrument; });
    if (found == groups.end()) groups.push_back({&run}); else found->push_back(&run);
  }
  return groups;
}

std::string title_of(std::span<const ReportRun> runs, const ReportOptions& options) {
  if (!options.title.empty()) return options.title;
  if (runs.empty()) return "Valence";
  std::vector<std::string> subjects, titles;
  for (const auto& run : runs) {
    for (auto [list, name] : {std::pair{&subjects, run.profile.subject}, std::pair{&titles, run.instrument->card().title}}) {
      if (std::find(list->begin(), list->end(), name) == list->end()) list->push_back(name);
    }
  }
  return fmt::format("{}: {}", titles.size() > 2 ? fmt::format("{} instruments", titles.size()) : join(titles, " and "),
                     subjects.size() > 3 ? fmt::format("{} subjects", subjects.size()) : join(subjects, ", "));
}

std::string advice(const Validity& validity) {
  std::string items;
  for (const auto& one : validity.advice()) items += fmt::format("<li>{}</li>", html_escape(one));
  return items.empty() ? "" : fmt::format("<p>What to try:</p><ul>{}</ul>", items);
}

std::string verdict_block(const ReportRun& run) {
  const auto text = html_escape(verdict(run));
  if (report::failed_gate(run)) return fmt::format("<div class=\"banner\"><p><strong>{}</strong></p>{}</div>\n", text, advice(run.profile.validity));
  return fmt::format("<p class=\"lead\">{}</p>\n", text);
}

/// The subject's name with what must not be overlooked about it.
std::string heading(const ReportRun& run, int level) {
  std::string tags;
  if (run.simulated) tags += " <span class=\"tag\">simulated subject of known truth</span>";
  if (report::failed_gate(run)) tags += " <span class=\"tag fail\">not interpretable</span>";
  return fmt::format("<h{0}>{1}{2}</h{0}>\n", level, html_escape(run.profile.subject), tags);
}

std::string without_stop(std::string_view text) { return std::string(text.ends_with('.') ? text.substr(0, text.size() - 1) : text); }

std::string contents(const std::vector<std::vector<const ReportRun*>>& groups) {
  if (groups.size() < 2) return "";
  std::string items;
  for (const auto& group : groups) {
    const auto& card = group.front()->instrument->card();
    items += fmt::format("<li><a href=\"#{}\">{}</a></li>", html_escape(card.id), html_escape(card.title));
  }
  return fmt::format("<nav><ul>{}</ul></nav>\n", items);
}

Result<std::string> section(const std::vector<const ReportRun*>& runs, const ReportOptions& options, Ids& ids) {
  const auto& card = runs.front()->instrument->card();
  std::string html = fmt::format("<h2 id=\"{}\">{}</h2>\n", html_escape(card.id), html_escape(card.title));
  for (const auto* run : runs) html += verdict_block(*run);
  html += fmt::format("<p>{} {}</p>\n", html_escape(card.measures), html_escape(card.limits));
  VALENCE_TRY(const auto pictures, report::pictures(runs, ids));
  html += pictures;
  for (const auto* run : runs) html += heading(*run, 3) + report::figures_table(run->profile, true);
  html += report::differences_panel(runs, ids);
  for (const auto* run : runs) {
    VALENCE_TRY(const auto maps, report::response_maps(*run, ids));
    if (!maps.empty()) html += heading(*run, 3) + maps + report::correlation_figure(*run, ids);
  }
  html += "<h3>Can these figures be trusted?</h3>\n";
  for (const auto* run : runs) html += heading(*run, 4) + report::validity_panel(*run, ids) + report::position_panel(*run, ids);
  VALENCE_TRY(const auto published, report::published_panel(*runs.front()->instrument, ids));
  html += published + "<h3>How it was measured, and every answer</h3>\n";
  for (const auto* run : runs) {
    html += fmt::format("<details><summary>All figures: run {}, {}</summary>\n{}</details>\n", run->record.id, html_escape(run->profile.subject),
                        report::figures_table(run->profile, false));
    html += report::provenance_panel(*run) + report::answers_panel(*run, options.max_answers, ids);
  }
  return html + fmt::format("<p class=\"note\">Instrument: {}. Data: {}.</p>\n", html_escape(without_stop(card.citation)), html_escape(without_stop(card.licence)));
}

}  // namespace

Result<std::string> html_report(std::span<const ReportRun> runs, const ReportOptions& options) {
  const auto title = html_escape(title_of(runs, options));
  std::string body = fmt::format("<h1>{}</h1>\n", title);
  if (!options.note.empty()) body += fmt::format("<p class=\"note\">{}</p>\n", html_escape(options.note));
  const auto groups = by_instrument(runs);
  body += contents(groups);
  Ids ids;
  for (const auto& group : groups) {
    VALENCE_TRY(const auto part, section(group, options, ids));
    body += part;
  }
  return report::whole_page(title, body);
}

Result<std::string> report::whole_page(std::string_view title, std::string_view body) {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto style, read_file(data / "report" / "style.css"));
  VALENCE_TRY(const auto script, read_file(data / "report" / "table.js"));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n<script>\n{}</script>\n</body>\n</"
      "html>\n",
      title, style, body, script);
}

}  // namespace valence
