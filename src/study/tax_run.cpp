#include "valence/study/tax_run.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/instruments/measure.h"
#include "valence/report/report_files.h"
#include "valence/values/space.h"

namespace valence {
namespace {

/// What the runs of one subject hold; ComparedRun points into it.
struct SideRuns {
  ReportRun fluency, capability;
  std::optional<ReportRun> replies;
};

Result<ReportRun> measured(std::string_view id, const Settings& settings, const Subject& subject, Store& store,
                           const MeasureOptions& options) {
  VALENCE_TRY(const auto* instrument, find_instrument(id));
  VALENCE_TRY(const auto run, measure_once(*instrument, settings, subject, store, options));
  return load_report_run(store, run);
}

Result<SideRuns> side_of(const SubjectSpec& spec, const TaxSettings& settings, Store& store,
                         const MeasureOptions& options) {
  VALENCE_TRY(const auto subject, open_subject(spec));
  VALENCE_TRY(auto fluency, measured("fluency", settings.fluency, subject, store, options));
  VALENCE_TRY(auto capability, measured("capability", settings.capability, subject, store, options));
  SideRuns side{std::move(fluency), std::move(capability), std::nullopt};
  if (settings.replies) {
    VALENCE_TRY(side.replies, measured("replies", *settings.replies, subject, store, options));
  }
  return side;
}

TaxSide tax_side(const SideRuns& runs, const TaxSettings& settings) {
  TaxSide side{
      {&settings.fluency, &runs.fluency.answers}, {&settings.capability, &runs.capability.answers}, std::nullopt};
  if (runs.replies) side.replies = ComparedRun{&*settings.replies, &runs.replies->answers};
  return side;
}

std::vector<RunId> runs_of(const SideRuns& side) {
  std::vector<RunId> runs = {side.fluency.record.id, side.capability.record.id};
  if (side.replies) runs.push_back(side.replies->record.id);
  return runs;
}

/// A drift pair and what it points into.
struct LoadedDrift {
  ReportRun before, after;
  Settings first, second;
};

Result<LoadedDrift> load_drift(const DriftRuns& runs, const Store& store) {
  LoadedDrift drift;
  VALENCE_TRY(drift.before, load_report_run(store, runs.before));
  VALENCE_TRY(drift.after, load_report_run(store, runs.after));
  if (drift.before.instrument != drift.after.instrument) {
    return fail(ErrorCode::kUsage,
                "runs {} and {} are of different instruments ({}, {}): drift compares two of the same", runs.before,
                runs.after, drift.before.record.instrument, drift.after.record.instrument);
  }
  VALENCE_TRY(drift.first, settings_of(drift.before));
  VALENCE_TRY(drift.second, settings_of(drift.after));
  return drift;
}

/// A run of somebody else under the same name would be filed as this subject's drift.
Result<void> require_runs_of(const SubjectSpec& spec, const std::vector<LoadedDrift>& drift,
                             ReportRun LoadedDrift::*side) {
  if (drift.empty()) return {};
  VALENCE_TRY(const auto subject, open_subject(spec));
  const auto wanted = subject_provenance(subject, 0);
  for (const auto& pair : drift) {
    const auto& record = (pair.*side).record;
    VALENCE_TRY(const auto found, parse_json(record.provenance, fmt::format("run {}", record.id)));
    for (const std::string key : {"identity", "system_prompt", "examples"}) {
      if (found.value(key, Json()) == wanted[key]) continue;
      return fail(ErrorCode::kUsage,
                  "run {} is of {}, not of {} as it is here ({} differs): a drift pair holds a run of the base, then one of the "
                  "aligned subject",
                  record.id, record.subject, display_name(spec), key);
    }
  }
  return {};
}

Result<Settings> defaults_of(std::string_view id) {
  VALENCE_TRY(const auto* instrument, find_instrument(id));
  return Settings::resolve(instrument->settings(), std::vector<std::pair<std::string, std::string>>());
}

}  // namespace

Result<TaxSettings> default_tax_settings() {
  TaxSettings settings;
  VALENCE_TRY(settings.fluency, defaults_of("fluency"));
  VALENCE_TRY(settings.capability, defaults_of("capability"));
  if (find_instrument("replies")) {
    VALENCE_TRY(settings.replies, defaults_of("replies"));
  }
  return settings;
}

std::set<std::string> targeted_dimensions(const Target& target) {
  std::set<std::string> dimensions;
  for (const auto& [dimension, value] : target.values) {
    if (!std::isnan(value)) dimensions.insert(dimension);
  }
  const auto space = load_space(target.space);
  if (space && !space->coordinate.empty()) dimensions.insert(space->coordinate);  // a ring's figures are of its angle
  return dimensions;
}

Result<MeasuredTax> measure_tax(const SubjectSpec& base, const SubjectSpec& aligned,
                                const std::vector<DriftRuns>& drift, const std::set<std::string>& targeted,
                                const TaxSettings& settings, Store& store, const MeasureOptions& options) {
  VALENCE_TRY(const auto aims, tax_aims());
  std::vector<LoadedDrift> loaded;  // first, so that what cannot be compared is not waited for
  for (const auto& runs : drift) {
    VALENCE_TRY(auto one, load_drift(runs, store));
    loaded.push_back(std::move(one));
  }
  VALENCE_CHECK(require_runs_of(base, loaded, &LoadedDrift::before));
  VALENCE_CHECK(require_runs_of(aligned, loaded, &LoadedDrift::after));
  VALENCE_TRY(const auto before, side_of(base, settings, store, options));
  VALENCE_TRY(const auto after, side_of(aligned, settings, store, options));
  std::vector<DriftPair> pairs;
  for (const auto& one : loaded) {
    pairs.push_back(
        {one.before.instrument, {&one.first, &one.before.answers}, {&one.second, &one.after.answers}, targeted});
  }
  VALENCE_TRY(auto tax, tax_of(tax_side(before, settings), tax_side(after, settings), pairs, aims,
                               {.replicates = stats::kDefaultReplicates, .seed = settings.seed}));
  return MeasuredTax{std::move(tax), runs_of(before), runs_of(after)};
}

Json tax_json(const MeasuredTax& measured, const SubjectSpec& base, const SubjectSpec& aligned) {
  Json json = {{"base", display_name(base)}, {"aligned", display_name(aligned)}};
  json.update(to_json(measured.tax));
  json["runs"] = {{"base", measured.base_runs}, {"aligned", measured.aligned_runs}};
  return json;
}

}  // namespace valence
