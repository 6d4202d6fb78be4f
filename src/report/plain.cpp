// Markdown and JSON of the same figures.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/report/report.h"
#include "wording.h"

namespace valence {
namespace {

/// Foreign text in a cell or a line: neither table, line nor HTML may be broken by it.
std::string escape_cell(std::string_view text) {
  const auto flat = replace_all(replace_all(printable(text), "\n", " "), "|", "\\|");
  return replace_all(replace_all(flat, "&", "&amp;"), "<", "&lt;");
}

std::string sentence(std::string_view text) { return text.ends_with('.') ? std::string(text) : fmt::format("{}.", text); }

std::string markdown_table(const Profile& profile) {
  std::string text = "| figure | estimate | 95 % interval | uniform responder | unit | n |\n|---|---:|---:|---:|---|---:|\n";
  for (const auto& entry : profile.entries) {
    const auto& e = entry.estimate;
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", escape_cell(row_label(entry.estimand)), significant(e.value), report::interval_cell(entry), significant(entry.uniform), entry.estimand.unit, e.count);
  }
  const auto few = few_units_note(profile);
  return few.empty() ? text : text + fmt::format("\n{}.\n", few);
}

std::string markdown_checks(const Validity& validity) {
  if (!validity.assessed) return fmt::format("Validity was not assessed: {}.\n", escape_cell(validity.note));
  std::string text = "| check | estimate | interval | threshold | result | try |\n|---|---:|---:|---:|---|---|\n";
  for (const auto& check : validity.checks) {
    text += fmt::format("| {} | {} | {} | {} {} | {} | {} |\n", escape_cell(check.label), significant(check.estimate.value), interval_text(check.estimate),
                        check.at_least ? "≥" : "≤", significant(check.threshold), check.passed ? "passed" : "failed", check.passed ? "" : escape_cell(check.advice));
  }
  return validity.note.empty() ? text : text + fmt::format("\nHere {}.\n", escape_cell(validity.note));
}

}  // namespace

Result<std::string> markdown_report(std::span<const ReportRun> runs, const ReportOptions& options) {
  auto text = fmt::format("# {}\n", escape_cell(options.title.empty() ? "Valence report" : options.title));
  if (!options.note.empty()) text += fmt::format("\n{}\n", escape_cell(options.note));
  for (const auto& run : runs) {
    text += fmt::format("\n## {}: {}{}\n\n{}\n\n{}\n{}\nRun {}, started {}. Instrument: {}\n", run.instrument->card().title, escape_cell(run.profile.subject),
                        run.simulated ? " (simulated subject of known truth)" : "", escape_cell(verdict(run)), markdown_table(run.profile),
                        markdown_checks(run.profile.validity), run.record.id, run.record.started, sentence(run.instrument->card().citation));
  }
  return text;
}

Result<std::string> json_report(std::span<const ReportRun> runs, const ReportOptions& options) {
  Json document = {{"title", options.title}, {"note", options.note}, {"runs", Json::array()}};
  for (const auto& run : runs) {
    VALENCE_TRY(const auto settings, parse_json(run.record.settings, "settings"));
    VALENCE_TRY(const auto provenance, parse_json(run.record.provenance, "provenance"));
    Json entry = to_json(run.profile);
    entry["run"] = run.record.id;
    entry["simulated"] = run.simulated;
    entry["verdict"] = verdict(run);
    entry["settings"] = settings;
    entry["provenance"] = provenance;
    document["runs"].push_back(std::move(entry));
  }
  return to_text(document, 2) + "\n";
}

}  // namespace valence
