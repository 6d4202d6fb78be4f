#include "valence/store/store.h"

#include <fmt/chrono.h>

#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "schema.h"
#include "sqlite.h"
#include "training_rows.h"
#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<RunState, std::string_view>, 4> kStates{{{RunState::kRunning, "running"},
                                                                        {RunState::kStopped, "stopped"},
                                                                        {RunState::kFailed, "failed"},
                                                                        {RunState::kFinished, "finished"}}};

RunState state_from(std::string_view text) {
  for (const auto& [state, name] : kStates) {
    if (name == text) return state;
  }
  return RunState::kFailed;  // unreachable: the table's CHECK admits no other text
}

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

// ---- rows

constexpr std::string_view kRunColumns =
    "id, key, instrument, subject, started, finished, state, settings, provenance, profile";

RunRecord read_run(const Statement& row) {
  return {row.integer(0), row.text(1),             row.text(2), row.text(3), row.text(4),
          row.text(5),    state_from(row.text(6)), row.text(7), row.text(8), row.text(9)};
}

template <class T>
Result<std::vector<T>> numbers_of(const std::string& text) {
  const auto json = Json::parse(text, nullptr, false);
  try {
    return json.get<std::vector<T>>();
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorCode::kCorrupt, "an answer's numbers are damaged: {}", text);
  }
}

Result<AnswerRow> read_answer(const Statement& row) {
  AnswerRow answer;
  answer.unit = row.text(0);
  answer.cluster = row.text(1);
  answer.condition = row.text(2);
  answer.item = row.text(3);
  answer.variant = row.text(4);
  answer.layout = row.text(5);
  VALENCE_TRY(answer.format, format_from(row.text(6)));
  VALENCE_TRY(answer.route, route_from(row.text(7)));
  VALENCE_TRY(answer.status, status_from(row.text(8)));
  VALENCE_TRY(answer.probability, numbers_of<double>(row.text(9)));
  VALENCE_TRY(answer.place, numbers_of<std::size_t>(row.text(10)));
  answer.captured_mass = row.real(11);
  answer.draws = static_cast<std::size_t>(row.integer(12));
  answer.text = row.text(13);
  answer.digest = row.text(14);
  return answer;
}

Result<void> write_answer(Statement& insert, RunId run, std::int64_t number, bool probe, const AnswerRow& answer) {
  insert.bind(run).bind(number).bind(std::int64_t{probe});
  for (const auto* text : {&answer.unit, &answer.cluster, &answer.condition, &answer.item, &answer.variant, &answer.layout}) {
    insert.bind(*text);
  }
  insert.bind(to_string(answer.format)).bind(to_string(answer.route)).bind(to_string(answer.status));
  insert.bind(to_text(Json(answer.probability))).bind(to_text(Json(answer.place)));
  insert.bind(answer.captured_mass).bind(static_cast<std::int64_t>(answer.draws));
  insert.bind(answer.text).bind(answer.digest);
  return insert.execute();
}

Result<void> check_numbers(const std::vector<AnswerRow>& rows) {
  for (const auto& row : rows) {
    bool finite = std::isfinite(row.captured_mass);
    for (const double p : row.probability) finite = finite && std::isfinite(p);
    if (!finite) {
      return fail(ErrorCode::kInvalid, "the answer to item \"{}\" (unit \"{}\") holds a number that is not finite", row.item,
                  row.unit);
    }
  }
  return {};
}

// ---- opening

Result<void> configure(const Database& database, Store::Access access, const StoreLimits& limits) {
  VALENCE_CHECK(database.run("PRAGMA foreign_keys = ON"));
  if (access == Store::Access::kReadOnly) return {};
  // Where the file system cannot share memory SQLite keeps its rollback journal: as safe, without parallel readers.
  VALENCE_CHECK(database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  if (limits.largest == 0) return {};
  VALENCE_TRY(const auto page, database.number("PRAGMA page_size"));
  const auto pages = static_cast<std::int64_t>(limits.largest) / page;
  return database.run(fmt::format("PRAGMA max_page_count = {}", pages));
}

Error read_only_error(const Database& database) {
  return {ErrorCode::kIo, fmt::format("store {}: the file or its folder is read-only. Allow writing, or name another "
                                      "file with --store",
                                      database.path().string())};
}

Result<Database> open_for_writing(const fs::path& path, const StoreLimits& limits) {
  VALENCE_TRY(auto database, Database::open(path, Database::Mode::kReadWrite, limits.patience));
  VALENCE_TRY(const auto version, check_schema(database));
  if (database.read_only()) return tl::unexpected(read_only_error(database));
  VALENCE_CHECK(configure(database, Store::Access::kReadWrite, limits));
  if (version < schema_version()) VALENCE_CHECK(migrate(database, version));
  return database;
}

/// SQLite needs a writable folder even to read a file in WAL mode, unless told that nothing can change.
Result<Database> open_to_look(const fs::path& path, const StoreLimits& limits) {
  VALENCE_TRY(auto database, Database::open(path, Database::Mode::kReadOnly, limits.patience));
  std::error_code error;
  if (check_schema(database) || fs::exists(path.string() + "-wal", error)) return database;
  return Database::open(path, Database::Mode::kImmutable, limits.patience);
}

Result<Database> open_for_reading(const fs::path& path, const StoreLimits& limits) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return fail(ErrorCode::kNotFound, "there is no store {}. Measure something first, or name another file with --store",
                path.string());
  }
  VALENCE_TRY(auto database, open_to_look(path, limits));
  VALENCE_TRY(const auto version, check_schema(database));
  if (version < schema_version()) VALENCE_CHECK(open_for_writing(path, limits));
  VALENCE_CHECK(configure(database, Store::Access::kReadOnly, limits));
  return database;
}

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) return fail(ErrorCode::kIo, "store {}: cannot make its folder: {}", path.string(), error.message());
  return {};
}

// ---- the store

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(Database database) : database_(std::move(database)) {}

  const fs::path& path() const override { return database_.path(); }

  Result<RunId> create_run(const RunRecord& run) override {
    VALENCE_TRY(auto insert, database_.prepare("INSERT INTO runs (key, instrument, subject, started, finished, state, "
                                               "settings, provenance, profile) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    insert.bind(run.key).bind(run.instrument).bind(run.subject).bind(run.started.empty() ? now() : run.started);
    insert.bind(run.finished).bind(to_string(run.state)).bind(run.settings).bind(run.provenance).bind(run.profile);
    VALENCE_CHECK(insert.execute());
    return database_.last_row();
  }

  Result<std::optional<RunRecord>> unfinished(std::string_view key) const override {
    VALENCE_TRY(auto select, database_.prepare(fmt::format("SELECT {} FROM runs WHERE key = ? AND state <> 'finished' "
                                                           "ORDER BY id DESC LIMIT 1",
                                                           kRunColumns)));
    VALENCE_TRY(const bool found, select.bind(key).step());
    return found ? std::optional(read_run(select)) : std::nullopt;
  }

  Result<std::optional<RunId>> finished(std::string_view key) const override {
    VALENCE_TRY(auto select,
                database_.prepare("SELECT id FROM runs WHERE key = ? AND state = 'finished' ORDER BY id DESC LIMIT 1"));
    VALENCE_TRY(const bool found, select.bind(key).step());
    return found ? std::optional(RunId{select.integer(0)}) : std::nullopt;
  }

  Result<void> remove_run(RunId run) override {
    VALENCE_TRY(auto remove, database_.prepare("DELETE FROM runs WHERE id = ?"));
    VALENCE_CHECK(remove.bind(run).execute());
    return database_.changes() == 1 ? Result<void>() : no_run(run);
  }

  Result<void> set_state(RunId run, RunState state) override {
    VALENCE_TRY(auto update, database_.prepare("UPDATE runs SET state = ? WHERE id = ?"));
    VALENCE_CHECK(update.bind(to_string(state)).bind(run).execute());
    return database_.changes() == 1 ? Result<void>() : no_run(run);
  }

  Result<std::vector<RunRecord>> runs() const override {
    VALENCE_TRY(auto select, database_.prepare(fmt::format("SELECT {} FROM runs ORDER BY id", kRunColumns)));
    std::vector<RunRecord> found;
    for (;;) {
      VALENCE_TRY(const bool row, select.step());
      if (!row) return found;
      found.push_back(read_run(select));
    }
  }

  Result<RunRecord> run(RunId id) const override {
    VALENCE_TRY(auto select, database_.prepare(fmt::format("SELECT {} FROM runs WHERE id = ?", kRunColumns)));
    VALENCE_TRY(const bool found, select.bind(id).step());
    if (!found) return tl::unexpected(no_run(id).error());
    return read_run(select);
  }

  Result<std::optional<StoredGroup>> group(RunId run, const Digest& digest, bool any_run) const override {
    VALENCE_TRY(auto select, database_.prepare(any_run ? "SELECT payload, seconds, tokens FROM groups WHERE digest = ? "
                                                         "ORDER BY run <> ?, run LIMIT 1"
                                                       : "SELECT payload, seconds, tokens FROM groups WHERE digest = ? "
                                                         "AND run = ?"));
    VALENCE_TRY(const bool found, select.bind(digest.hex()).bind(run).step());
    if (!found) return std::nullopt;
    return StoredGroup{select.text(0), select.real(1), static_cast<std::size_t>(select.integer(2))};
  }

  Result<void> put_group(RunId run, const Digest& digest, const StoredGroup& group) override {
    VALENCE_TRY(auto insert, database_.prepare("INSERT OR REPLACE INTO groups (run, digest, payload, seconds, tokens) "
                                               "VALUES (?, ?, ?, ?, ?)"));
    insert.bind(run).bind(digest.hex()).bind_bytes(group.payload).bind(group.seconds);
    const auto done = insert.bind(static_cast<std::int64_t>(group.tokens)).execute();
    return done ? done : tl::unexpected(kept(run, done.error()));
  }

  Result<std::size_t> count_groups(RunId run) const override {
    VALENCE_TRY(auto select, database_.prepare("SELECT count(*) FROM groups WHERE run = ?"));
    VALENCE_CHECK(select.bind(run).step());
    return static_cast<std::size_t>(select.integer(0));
  }

  Result<void> finish(RunId run, const AnswerTable& answers, std::string_view profile_json) override {
    VALENCE_TRY(const auto record, this->run(run));
    if (record.instrument != answers.instrument) {
      return fail(ErrorCode::kInvalid, "run {} measures \"{}\"; its answers are of \"{}\"", run, record.instrument,
                  answers.instrument);
    }
    VALENCE_CHECK(check_numbers(answers.rows));
    VALENCE_CHECK(check_numbers(answers.probes));
    const auto done = replace_answers(run, answers, profile_json);
    return done ? done : tl::unexpected(kept(run, done.error()));
  }

  Result<AnswerTable> answers(RunId run) const override {
    VALENCE_TRY(auto record, this->run(run));
    VALENCE_TRY(auto select, database_.prepare("SELECT unit, cluster, condition, item, variant, layout, format, route, "
                                               "status, probability, place, captured_mass, draws, text, digest, probe "
                                               "FROM answers WHERE run = ? ORDER BY row"));
    select.bind(run);
    AnswerTable table{std::move(record.instrument), {}, {}};
    for (;;) {
      VALENCE_TRY(const bool row, select.step());
      if (!row) return table;
      auto answer = read_answer(select);
      if (!answer) return tl::unexpected(damaged(run, answer.error()));
      (select.integer(15) != 0 ? table.probes : table.rows).push_back(*std::move(answer));
    }
  }

  Result<void> put_training_step(RunId run, const TrainingStep& step) override { return valence::put_training_step(database_, run, step); }
  Result<std::vector<TrainingStep>> training_steps(RunId run) const override { return valence::training_steps(database_, run); }
  Result<void> put_artefact(RunId run, const Artefact& artefact) override { return valence::put_artefact(database_, run, artefact); }
  Result<std::vector<Artefact>> artefacts(RunId run) const override { return valence::artefacts(database_, run); }

  Result<std::optional<StepRecord>> step(std::string_view hash) const override {
    VALENCE_TRY(auto select,
                database_.prepare("SELECT hash, kind, what, run, seconds FROM study_steps WHERE hash = ?"));
    VALENCE_TRY(const bool found, select.bind(hash).step());
    if (!found) return std::nullopt;
    return StepRecord{select.text(0), select.text(1), select.text(2), select.integer(3), select.real(4)};
  }

  Result<void> put_step(const StepRecord& step) override {
    VALENCE_TRY(auto insert, database_.prepare("INSERT OR REPLACE INTO study_steps (hash, kind, what, run, seconds) "
                                               "VALUES (?, ?, ?, ?, ?)"));
    return insert.bind(step.hash).bind(step.kind).bind(step.what).bind(step.run).bind(step.seconds).execute();
  }

  Result<void> log(RunId run, std::string_view level, std::string_view text) override {
    VALENCE_TRY(auto insert, database_.prepare("INSERT INTO events (run, time, level, text) VALUES (?, ?, ?, ?)"));
    return insert.bind(run).bind(now()).bind(level).bind(text).execute();
  }

  Result<std::vector<Event>> events(RunId run) const override {
    VALENCE_TRY(auto select, database_.prepare("SELECT time, level, text FROM events WHERE run = ? ORDER BY id"));
    select.bind(run);
    std::vector<Event> found;
    for (;;) {
      VALENCE_TRY(const bool row, select.step());
      if (!row) return found;
      found.push_back({select.text(0), select.text(1), select.text(2)});
    }
  }

 private:
  Result<void> no_run(RunId id) const {
    VALENCE_TRY(const auto first, database_.number("SELECT min(id) FROM runs"));
    VALENCE_TRY(const auto last, database_.number("SELECT max(id) FROM runs"));
    const auto there = last == 0 ? std::string("it is empty") : fmt::format("its runs are {} to {}", first, last);
    return fail(ErrorCode::kNotFound, "there is no run {} in {}; {} (valence runs)", id, path().string(), there);
  }

  /// A full disk ends a run; what was committed stays.
  Error kept(RunId run, const Error& error) const {
    if (error.code != ErrorCode::kDiskFull) return error;
    const auto groups = count_groups(run).value_or(0);
    return {ErrorCode::kDiskFull,
            fmt::format("run {} stopped: no space left on device. {} computed groups are kept in {}; free some space and "
                        "run the same command to go on",
                        run, with_thousands(groups), path().string())};
  }

  Error damaged(RunId run, const Error& error) const {
    return {ErrorCode::kCorrupt, fmt::format("store {}: run {}: {}", path().string(), run, error.message)};
  }

  Result<void> replace_answers(RunId run, const AnswerTable& answers, std::string_view profile_json) {
    VALENCE_TRY(auto transaction, Transaction::begin(database_));
    VALENCE_TRY(auto clear, database_.prepare("DELETE FROM answers WHERE run = ?"));
    VALENCE_CHECK(clear.bind(run).execute());
    VALENCE_TRY(auto insert, database_.prepare("INSERT INTO answers (run, row, probe, unit, cluster, condition, item, "
                                               "variant, layout, format, route, status, probability, place, "
                                               "captured_mass, draws, text, digest) "
                                               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    std::int64_t number = 0;
    for (const auto& row : answers.rows) VALENCE_CHECK(write_answer(insert, run, number++, false, row));
    for (const auto& row : answers.probes) VALENCE_CHECK(write_answer(insert, run, number++, true, row));
    VALENCE_TRY(auto update, database_.prepare("UPDATE runs SET state = 'finished', finished = ?, profile = ? WHERE id = ?"));
    VALENCE_CHECK(update.bind(now()).bind(profile_json).bind(run).execute());
    return transaction.commit();
  }

  Database database_;
};

}  // namespace

std::string_view to_string(RunState state) {
  for (const auto& [known, name] : kStates) {
    if (known == state) return name;
  }
  return {};
}

Result<void> require_finished(const RunRecord& run) {
  if (run.state == RunState::kFinished) return {};
  std::string_view advice = "run the same measure command again to go on with it";
  if (run.state == RunState::kRunning) advice = "wait for it, or, if its program is gone, run the same measure command again to go on with it";
  if (run.state == RunState::kFailed) advice = "valence runs NUMBER says why; put it right and measure again";
  return fail(ErrorCode::kUsage, "run {} is {}, not finished: {}", run.id, to_string(run.state), advice);
}

Result<std::unique_ptr<Store>> Store::open(const fs::path& path, Access access, const StoreLimits& limits) {
  if (access == Access::kReadWrite) VALENCE_CHECK(make_folder(path));
  auto database = access == Access::kReadWrite ? open_for_writing(path, limits) : open_for_reading(path, limits);
  if (!database) return tl::unexpected(database.error());
  return std::make_unique<SqliteStore>(*std::move(database));
}

}  // namespace valence
