#include "valence/instruments/measure.h"

#include <chrono>
#include <map>
#include <tuple>
#include <nlohmann/json.hpp>

#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence {
namespace {

std::string now_utc() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto time = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

/// What makes two runs the same run: a restarted command goes on with the unfinished one.
std::string key_of(const Instrument& instrument, const Settings& settings, const Subject& subject, std::uint64_t seed) {
  Hasher hasher;
  hasher.add(instrument.card().id).add(instrument.card().version).add(subject.name).add(subject.digest()).add(seed);
  for (const auto& [name, value] : settings.values()) hasher.add(name).add(value);
  return hasher.finish().hex();
}

Json provenance_of(const Instrument& instrument, const Subject& subject, std::uint64_t seed) {
  const auto& card = subject.model->card();
  Json json = {{"program", "valence " VALENCE_VERSION}, {"seed", seed}, {"model", card.name}, {"backend", card.backend},
               {"identity", card.identity.hex()}, {"architecture", card.architecture}, {"simulated", card.simulated},
               {"instrument_version", instrument.card().version}};
  json["facts"] = Json::object();
  for (const auto& [name, value] : card.facts) json["facts"][name] = value;
  json["system_prompt"] = subject.system_prompt;
  json["examples"] = subject.examples.size();
  json["date"] = subject.render.date;
  json["thinking"] = subject.render.thinking;
  return json;
}

/// Measuring a finished run again is allowed, but takes its whole time: the person may not have meant it.
Result<void> say_if_measured_before(const Store& store, std::string_view key, const MeasureOptions& options) {
  if (options.progress == nullptr || options.reuse) return {};
  VALENCE_TRY(const auto runs, store.runs());
  const auto same = [&](const RunRecord& run) { return run.key == key && run.state == RunState::kFinished; };
  const auto before = std::ranges::find_if(runs, same);
  if (before == runs.end()) return {};
  options.progress->note(fmt::format("run {} measured exactly this before; measuring it anew (--reuse takes what is the same)", before->id));
  return {};
}

Result<RunId> begin_run(const Instrument& instrument, const Settings& settings, const Subject& subject, Store& store,
                        const MeasureOptions& options) {
  const auto key = key_of(instrument, settings, subject, options.seed);
  if (!options.fresh) {
    VALENCE_TRY(const auto unfinished, store.unfinished(key));
    if (unfinished) {
      VALENCE_CHECK(store.set_state(unfinished->id, RunState::kRunning));
      VALENCE_CHECK(store.log(unfinished->id, "info", "resumed"));
      return unfinished->id;
    }
    VALENCE_CHECK(say_if_measured_before(store, key, options));
  }
  RunRecord record;
  record.key = key;
  record.instrument = instrument.card().id;
  record.subject = subject.name;
  record.started = now_utc();
  record.settings = to_text(settings.to_json());
  record.provenance = to_text(provenance_of(instrument, subject, options.seed));
  return store.create_run(record);
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

/// One process measures a run at a time.
Result<FileLock> lock_run(const Store& store, std::string_view key) {
  std::error_code ignored;
  const auto database = std::filesystem::weakly_canonical(store.path(), ignored).string();
  const auto name = sha256(fmt::format("{}\n{}", database, key)).hex().substr(0, 32);
  VALENCE_TRY(auto lock, FileLock::try_acquire(cache_folder() / "locks" / name));
  if (lock) return std::move(*lock);
  return fail(ErrorCode::kUsage, "another process is measuring this with the same settings into {}: wait for it, or give another --seed or --store",
              store.path().string());
}

/// Files how the run ended, and leaves the error as it was.
tl::unexpected<Error> end_badly(Store& store, RunId run, Error error) {
  const auto groups = store.count_groups(run);
  if (error.code == ErrorCode::kUsage && groups && *groups == 0) {  // nothing to go on with
    static_cast<void>(store.remove_run(run));
    return tl::unexpected(std::move(error));
  }
  const bool stopped = error.code == ErrorCode::kStopped;
  // The store itself may be what failed: the run then stays "running" and is gone on with all the same.
  static_cast<void>(store.log(run, stopped ? "info" : "error", error.message));
  static_cast<void>(store.set_state(run, stopped ? RunState::kStopped : RunState::kFailed));
  return tl::unexpected(with_context(std::move(error), fmt::format("run {}", run)));
}

Result<Measurement> measure_run(const Instrument& instrument, const Settings& settings, const Subject& subject,
                                Store& store, RunId run, const MeasureOptions& options) {
  Examiner examiner(subject, &store, run,
                    {.seed = options.seed, .reuse = options.reuse, .stop = options.stop, .progress = options.progress});
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

Result<Measurement> measure(const Instrument& instrument, const Settings& settings, const Subject& subject, Store& store,
                            const MeasureOptions& options) {
  VALENCE_TRY(const auto lock, lock_run(store, key_of(instrument, settings, subject, options.seed)));
  VALENCE_TRY(const auto run, begin_run(instrument, settings, subject, store, options));
  auto measurement = measure_run(instrument, settings, subject, store, run, options);
  if (!measurement) return end_badly(store, run, std::move(measurement).error());
  return measurement;
}

}  // namespace valence
