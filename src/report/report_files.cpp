#include "valence/report/report_files.h"

#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/instruments/measure.h"

namespace valence {
namespace {

bool is_simulated(const RunRecord& record) {
  const auto provenance = parse_json(record.provenance, "provenance");
  return provenance && provenance->value("simulated", false);
}

Result<std::string> render(const std::vector<ReportRun>& runs, const std::string& extension,
                           const ReportOptions& options) {
  if (extension == ".html") return html_report(runs, options);
  if (extension == ".md") return markdown_report(runs, options);
  if (extension == ".json") return json_report(runs, options);
  return fail(ErrorCode::kUsage, "a report ends in .html, .md or .json, not \"{}\"", extension);
}

}  // namespace

Result<ReportRun> load_report_run(const Store& store, RunId id) {
  VALENCE_TRY(auto record, store.run(id));
  VALENCE_CHECK(require_finished(record));
  if (record.instrument.starts_with("align/") || record.instrument == "gap" || record.instrument == "change" || record.instrument == "tax") {
    return fail(ErrorCode::kUsage,
                "run {} is a step of kind {}, not a measurement: it has no profile (valence study report shows it)", id,
                record.instrument);
  }
  VALENCE_TRY(const auto json, parse_json(record.profile, fmt::format("profile of run {}", id)));
  VALENCE_TRY(auto profile, profile_from_json(json));
  VALENCE_TRY(auto answers, store.answers(id));
  VALENCE_TRY(const auto* instrument, find_instrument(record.instrument));
  VALENCE_TRY(const auto node, parse_json_node(record.settings, fmt::format("settings of run {}", id)));
  VALENCE_TRY(const auto settings, Settings::resolve(instrument->settings(), node));
  VALENCE_TRY(auto units, unit_values(*instrument, settings, answers));
  const bool simulated = is_simulated(record);
  return ReportRun{std::move(record), std::move(profile), std::move(answers), std::move(units), instrument, simulated};
}

Result<Settings> settings_of(const ReportRun& run) {
  VALENCE_TRY(const auto node, parse_json_node(run.record.settings, fmt::format("settings of run {}", run.record.id)));
  return Settings::resolve(run.instrument->settings(), node);
}

Result<void> write_report(const Store& store, const std::vector<RunId>& runs, const std::string& path,
                          const ReportOptions& options) {
  std::vector<ReportRun> loaded;
  for (const auto id : runs) {
    VALENCE_TRY(auto run, load_report_run(store, id));
    loaded.push_back(std::move(run));
  }
  VALENCE_TRY(const auto text, render(loaded, std::filesystem::path(path).extension().string(), options));
  return write_file(path, text);
}

constexpr std::string_view kUsualStore = "valence";  // valence.db

std::string default_report_path(const std::filesystem::path& store, const std::string& instrument, const std::string& subject, RunId run) {
  std::string name = instrument + "-" + subject;
  if (store.stem() != kUsualStore) name += "-" + store.stem().string();
  std::string file;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.';
    if (plain || file.empty() || file.back() != '-') file += plain ? c : '-';
  }
  return (store.parent_path() / "out" / fmt::format("{}{}{}.html", file, file.ends_with('-') ? "" : "-", run)).string();
}

}  // namespace valence
