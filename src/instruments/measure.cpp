#include "valence/instruments/measure.h"

#include <map>
#include <tuple>
#include <nlohmann/json.hpp>

#include "valence/base/digest.h"
#include "valence/base/json.h"
#include "valence/base/settings_digest.h"
#include "valence/base/text.h"
#include "valence/store/run_scope.h"

namespace valence {
namespace {

Json provenance_of(const Instrument& instrument, const Subject& subject, const MeasureOptions& options) {
  auto json = subject_provenance(subject, options.seed);
  json["instrument_version"] = instrument.card().version;
  if (!options.leave_out.empty()) json["items_left_out"] = options.leave_out;
  return json;
}

/// Going on with a run that was stopped, and measuring a finished one again (allowed, but it takes its whole time), are
/// both said: the person may have meant the other.
Result<void> say_what_is_there(const Store& store, std::string_view key, const MeasureOptions& options) {
  if (options.progress == nullptr || options.fresh) return {};
  VALENCE_TRY(const auto unfinished, store.unfinished(key));
  if (unfinished) {
    VALENCE_TRY(const auto kept, store.count_groups(unfinished->id));
    options.progress->note(fmt::format("going on with run {}: groups of questions kept: {} (--fresh starts anew)", unfinished->id, with_thousands(kept)));
    return {};
  }
  VALENCE_TRY(const auto before, store.finished(key));
  if (!before || options.reuse) return {};
  options.progress->note(fmt::format("run {} measured exactly this before; measuring it anew (--reuse takes what is the same)", *before));
  return {};
}

Result<RunRecord> record_of(const Instrument& instrument, const Settings& settings, const Subject& subject,
                            const MeasureOptions& options) {
  RunRecord record;
  VALENCE_TRY(record.key, run_key(instrument, settings, subject, options));
  record.instrument = instrument.card().id;
  record.subject = subject.name;
  record.settings = to_text(settings.to_json());
  record.provenance = to_text(provenance_of(instrument, subject, options));
  return record;
}

/// The gate's questions in the form that most of the instrument's own questions had.
Result<ProbeForm> probe_form_of(const AnswerTable& table, const Instrument& instrument, const Settings& settings) {
  std::map<std::tuple<std::size_t, AnswerFormat, LabelSet>, std::size_t> counts;
  for (const auto& row : table.rows) {
    if (row.probability.empty()) continue;
    ++counts[{row.probability.size(), row.format, label_set_of(row.layout).value_or(LabelSet::kLetters)}];
  }
  ProbeForm form;
  std::size_t most = 0;
  for (const auto& [shape, count] : counts) {
    if (count <= most) continue;
    most = count;
    std::tie(form.options, form.format, form.labels) = shape;
  }
  if (std::ranges::find(instrument.settings(), "normalisation", &SettingSpec::name) != instrument.settings().end()) {
    VALENCE_TRY(form.normalisation, normalisation_from(settings.text("normalisation")));
  }
  return form;
}

Result<AnswerTable> administer(const Instrument& instrument, const Settings& settings, Examiner& examiner,
                               const MeasureOptions& options) {
  Examination examination{examiner, examiner.seed(), options.progress, options.stop};
  VALENCE_TRY(auto table, instrument.administer(examination, settings));
  table.instrument = instrument.card().id;
  if (table.probes.empty() && !instrument.card().open_text) {
    VALENCE_TRY(const auto form, probe_form_of(table, instrument, settings));
    VALENCE_TRY(table.probes, put_probes(examiner, form));
  }
  return table;
}

Result<Measurement> measure_run(const Instrument& instrument, const Settings& settings, const Subject& subject,
                                Store& store, RunId run, const MeasureOptions& options) {
  Examiner examiner(subject, &store, run,
                    {.seed = options.seed,
                     .reuse = options.reuse,
                     .stop = options.stop,
                     .progress = options.progress,
                     .leave_out = options.leave_out});
  VALENCE_TRY(auto table, administer(instrument, settings, examiner, options));
  VALENCE_TRY(const auto thresholds, gate_thresholds());
  VALENCE_TRY(auto profile, profile_of(instrument, settings, table, subject.name, {.seed = options.seed}));
  profile.validity = instrument.assess(table, settings, thresholds);
  const auto& seen = examiner.statistics();
  VALENCE_CHECK(store.log(run, "info", fmt::format("{} groups computed, {} replayed, {} requests", seen.groups_computed,
                                                   seen.groups_replayed, seen.requests)));
  VALENCE_CHECK(store.log(run, "info", fmt::format("first question as rendered, tokens {}: {}",
                                                   fmt::join(seen.first_tokens, " "), seen.first_prompt)));
  VALENCE_CHECK(store.finish(run, table, to_text(to_json(profile))));
  return Measurement{run, std::move(profile), std::move(table)};
}

}  // namespace

/// What makes two runs the same run: a restarted command goes on with the unfinished one.
Result<std::string> run_key(const Instrument& instrument, const Settings& settings, const Subject& subject,
                            const MeasureOptions& options) {
  Hasher hasher;
  hasher.add(instrument.card().id)
      .add(instrument.card().version)
      .add(subject.name)
      .add(subject.digest())
      .add(options.seed);
  VALENCE_CHECK(add_settings(hasher, settings));
  for (const auto& item : options.leave_out) hasher.add(item);
  return hasher.finish().hex();
}

Json subject_provenance(const Subject& subject, std::uint64_t seed) {
  const auto& card = subject.model->card();
  Json json = {{"program", "valence " VALENCE_VERSION},
               {"seed", seed},
               {"model", card.name},
               {"backend", card.backend},
               {"identity", card.identity.hex()},
               {"architecture", card.architecture},
               {"simulated", card.simulated}};
  json["facts"] = Json::object();
  for (const auto& [name, value] : card.facts) json["facts"][name] = value;
  json["system_prompt"] = subject.system_prompt;
  json["examples"] = subject.examples.size();
  json["date"] = subject.render.date;
  json["thinking"] = subject.render.thinking;
  return json;
}

Result<Measurement> measure(const Instrument& instrument, const Settings& settings, const Subject& subject,
                            Store& store, const MeasureOptions& options) {
  VALENCE_TRY(const auto record, record_of(instrument, settings, subject, options));
  VALENCE_CHECK(say_what_is_there(store, record.key, options));
  VALENCE_TRY(const auto scope, RunScope::begin(store, record, options.fresh));
  auto measurement = measure_run(instrument, settings, subject, store, scope.run(), options);
  if (!measurement) return tl::unexpected(scope.ended(std::move(measurement).error()));
  return measurement;
}

Result<RunId> measure_once(const Instrument& instrument, const Settings& settings, const Subject& subject, Store& store,
                           const MeasureOptions& options) {
  VALENCE_TRY(const auto key, run_key(instrument, settings, subject, options));
  VALENCE_TRY(const auto there, store.finished(key));
  if (there && !options.fresh) return *there;
  VALENCE_TRY(const auto measurement, measure(instrument, settings, subject, store, options));
  return measurement.run;
}

}  // namespace valence
