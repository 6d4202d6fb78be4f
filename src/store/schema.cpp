#include "schema.h"

#include <array>
#include <string_view>

namespace valence {
namespace {

constexpr std::int64_t kApplication = 0x56414C4E;  // "VALN": tells our files from other programs' databases

// Step i takes a file from version i to i + 1. Steps are never edited once released; a change is a new step.
constexpr std::array<std::string_view, 4> kSteps{
    R"sql(
CREATE TABLE runs (
  id         INTEGER PRIMARY KEY,
  key        TEXT NOT NULL,
  instrument TEXT NOT NULL,
  subject    TEXT NOT NULL,
  started    TEXT NOT NULL,
  finished   TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'failed', 'finished')),
  settings   TEXT NOT NULL,
  provenance TEXT NOT NULL,
  profile    TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_key ON runs (key);
CREATE TABLE groups (
  run     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  digest  TEXT NOT NULL,
  payload BLOB NOT NULL,
  seconds REAL NOT NULL,
  tokens  INTEGER NOT NULL,
  PRIMARY KEY (run, digest)
) STRICT;
CREATE TABLE answers (
  run           INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  row           INTEGER NOT NULL,
  unit          TEXT NOT NULL,
  cluster       TEXT NOT NULL,
  condition     TEXT NOT NULL,
  item          TEXT NOT NULL,
  variant       TEXT NOT NULL,
  layout        TEXT NOT NULL,
  format        TEXT NOT NULL,
  route         TEXT NOT NULL,
  status        TEXT NOT NULL,
  probability   TEXT NOT NULL,  -- JSON array of numbers
  place         TEXT NOT NULL,  -- JSON array of whole numbers
  captured_mass REAL NOT NULL,
  draws         INTEGER NOT NULL,
  text          TEXT NOT NULL,
  digest        TEXT NOT NULL,
  PRIMARY KEY (run, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
  id   INTEGER PRIMARY KEY,
  run  INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  time TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_run ON events (run);
)sql",
    // The gate's questions are kept beside the instrument's, groups are looked up across runs, events have a level.
    R"sql(
ALTER TABLE answers ADD COLUMN probe INTEGER NOT NULL DEFAULT 0;
CREATE INDEX groups_by_digest ON groups (digest);
ALTER TABLE events ADD COLUMN level TEXT NOT NULL DEFAULT 'info';
)sql",
    // Training runs: a row per optimiser step, and the files that a run made.
    R"sql(
CREATE TABLE training_steps (
  run             INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step            INTEGER NOT NULL,
  examples        INTEGER NOT NULL,
  tokens          INTEGER NOT NULL,
  loss            REAL NOT NULL,
  learning_rate   REAL NOT NULL,
  gradient_norm   REAL NOT NULL,
  seconds         REAL NOT NULL,
  accuracy        REAL,
  margin          REAL,
  reward_chosen   REAL,
  reward_rejected REAL,
  reward          REAL,
  kl              REAL,
  entropy         REAL,
  clip_fraction   REAL,
  length          REAL,
  phases          TEXT NOT NULL,  -- JSON object: seconds by phase
  others          TEXT NOT NULL,  -- JSON object: figures of one objective only
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE artefacts (
  run    INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  kind   TEXT NOT NULL,
  path   TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run, kind)
) STRICT, WITHOUT ROWID;
)sql",
    // What a study has done: the hash of everything that a step depends on, and the run that holds its result.
    R"sql(
CREATE TABLE study_steps (
  hash    TEXT PRIMARY KEY,
  kind    TEXT NOT NULL,
  what    TEXT NOT NULL,
  run     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seconds REAL NOT NULL
) STRICT;
CREATE INDEX study_steps_by_run ON study_steps (run);
)sql"};

Error foreign(const Database& database) {
  return {ErrorCode::kCorrupt,
          fmt::format("store {}: not a Valence store. Name another file with --store", database.path().string())};
}

}  // namespace

std::int64_t schema_version() { return static_cast<std::int64_t>(kSteps.size()); }

Result<std::int64_t> check_schema(const Database& database) {
  VALENCE_TRY(const auto application, database.number("PRAGMA application_id"));
  VALENCE_TRY(const auto tables, database.number("SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && tables == 0) return 0;
  if (application != kApplication) return tl::unexpected(foreign(database));
  VALENCE_TRY(const auto version, database.number("PRAGMA user_version"));
  if (version > schema_version()) {
    return fail(ErrorCode::kMismatch,
                "store {}: written by a newer Valence (schema {}, this program knows {}). Use that version, or name "
                "another file with --store",
                database.path().string(), version, schema_version());
  }
  if (version < 1) return tl::unexpected(foreign(database));
  return version;
}

Result<void> migrate(const Database& database, std::int64_t version) {
  VALENCE_TRY(auto transaction, Transaction::begin(database));
  // Another process may have been faster between the look and the lock.
  if (version == 0) {
    VALENCE_TRY(version, check_schema(database));
  } else {
    VALENCE_TRY(version, database.number("PRAGMA user_version"));
  }
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
    VALENCE_CHECK(database.run(kSteps[step]));
  }
  VALENCE_CHECK(database.run(fmt::format("PRAGMA application_id = {}", kApplication)));
  VALENCE_CHECK(database.run(fmt::format("PRAGMA user_version = {}", schema_version())));
  return transaction.commit();
}

}  // namespace valence
