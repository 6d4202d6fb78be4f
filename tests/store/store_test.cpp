#include "valence/store/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cmath>

#include "opened.h"
#include "support/answers.h"
#include "support/scratch.h"

namespace valence {
namespace {

using testing::identical;
using testing::open;
using testing::Scratch;
using testing::strange_table;
using testing::svo_run;

/// Runs SQL on a file as another program would.
void run_sql(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_close(handle);
}

std::string first_cell(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
  EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  const std::string cell = text ? text : "";
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  return cell;
}

RunId unfinished_id(const Store& store) {
  const auto found = store.unfinished("k");
  return found && *found ? (*found)->id : 0;
}

std::string payload_of(const Store& store, RunId run, bool any_run) {
  const auto found = store.group(run, sha256("a"), any_run);
  return found && *found ? (*found)->payload : "none";
}

TEST(Store, KeepsRunsAcrossOpenings) {
  const Scratch scratch;
  RunId id = 0;
  {
    const auto store = open(scratch / "deep/valence.db");
    id = store->create_run(svo_run()).value();
  }
  const auto store = open(scratch / "deep/valence.db");
  EXPECT_EQ(store->path(), scratch / "deep/valence.db");
  const auto run = store->run(id);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->id, id);
  EXPECT_EQ(run->key, "k");
  EXPECT_EQ(run->instrument, "svo");
  EXPECT_EQ(run->subject, "smollm2");
  EXPECT_EQ(run->settings, R"({"dialogues":30})");
  EXPECT_EQ(run->provenance, R"({"seed":1})");
  EXPECT_EQ(run->state, RunState::kRunning);
  EXPECT_EQ(run->finished, "");
  EXPECT_EQ(run->started.size(), std::string("2026-11-22T10:00:00Z").size());
  EXPECT_EQ(store->runs()->size(), 1U);
}

TEST(Store, TheLatestUnfinishedRunOfAKeyIsFound) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  EXPECT_FALSE(store->unfinished("k").value());
  const auto first = store->create_run(svo_run()).value();
  const auto second = store->create_run(svo_run()).value();
  ASSERT_TRUE(store->create_run(svo_run("other")));
  EXPECT_EQ(unfinished_id(*store), second);
  ASSERT_TRUE(store->finish(second, {"svo", {}, {}}, "{}"));
  EXPECT_EQ(unfinished_id(*store), first);
  for (const auto state : {RunState::kStopped, RunState::kFailed}) {
    ASSERT_TRUE(store->set_state(first, state));
    EXPECT_EQ(unfinished_id(*store), first);
    EXPECT_EQ(store->run(first)->state, state);
  }
  ASSERT_TRUE(store->set_state(first, RunState::kFinished));
  EXPECT_FALSE(store->unfinished("k").value());
}

TEST(Store, GroupsComeBackByteByByte) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto run = store->create_run(svo_run()).value();
  const std::string payload("\0bytes\xFF\x80", 8);
  ASSERT_TRUE(store->put_group(run, sha256("a"), {payload, 0.1, 321}));
  const auto found = store->group(run, sha256("a"), false).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->payload, payload);
  EXPECT_EQ(found->seconds, 0.1);
  EXPECT_EQ(found->tokens, 321U);
  EXPECT_FALSE(store->group(run, sha256("b"), false).value());
  EXPECT_EQ(store->count_groups(run).value(), 1U);
}

TEST(Store, AGroupPutAgainReplacesTheFirst) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto run = store->create_run(svo_run()).value();
  ASSERT_TRUE(store->put_group(run, sha256("a"), {"old", 1, 1}));
  ASSERT_TRUE(store->put_group(run, sha256("a"), {"new", 2, 2}));
  EXPECT_EQ(payload_of(*store, run, false), "new");
  EXPECT_EQ(store->count_groups(run).value(), 1U);
}

TEST(Store, GroupsOfOtherRunsAreTakenOnlyWhenAskedFor) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto first = store->create_run(svo_run()).value();
  const auto second = store->create_run(svo_run()).value();
  ASSERT_TRUE(store->put_group(first, sha256("a"), {"of the first", 1, 1}));
  EXPECT_EQ(payload_of(*store, second, false), "none");
  EXPECT_EQ(payload_of(*store, second, true), "of the first");
  ASSERT_TRUE(store->put_group(second, sha256("a"), {"of the second", 1, 1}));
  EXPECT_EQ(payload_of(*store, second, true), "of the second");
  EXPECT_EQ(payload_of(*store, first, true), "of the first");
}

TEST(Store, AGroupOfNoRunIsRefused) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  EXPECT_FALSE(store->put_group(99, sha256("a"), {"x", 1, 1}));
  EXPECT_EQ(store->count_groups(99).value(), 0U);
}

TEST(Store, AnswersComeBackIdenticalToTheLastBit) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto run = store->create_run(svo_run()).value();
    const auto table = strange_table(seed, 60);
    const auto done = store->finish(run, table, R"({"entries":[]})");
    ASSERT_TRUE(done) << done.error().message;
    const auto back = store->answers(run);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(identical(*back, table)) << seed;
  }
  EXPECT_EQ(store->run(1)->state, RunState::kFinished);
  EXPECT_EQ(store->run(1)->profile, R"({"entries":[]})");
  EXPECT_FALSE(store->run(1)->finished.empty());
}

TEST(Store, TextsMayHoldAnyBytes) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto run = store->create_run(svo_run()).value();
  AnswerRow row;
  row.status = Status::kUnparseable;
  row.text = std::string("cut \xE2\x82 and \0 zero", 16);
  ASSERT_TRUE(store->finish(run, {"svo", {row}, {}}, "{}"));
  EXPECT_EQ(store->answers(run)->rows.at(0).text, row.text);
}

TEST(Store, FinishingAgainReplacesAnswersAndProfile) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto run = store->create_run(svo_run()).value();
  ASSERT_TRUE(store->finish(run, strange_table(1, 30), "1"));
  const auto table = strange_table(2, 5);
  ASSERT_TRUE(store->finish(run, table, "2"));
  EXPECT_TRUE(identical(*store->answers(run), table));
  EXPECT_EQ(store->run(run)->profile, "2");
}

TEST(Store, AnswersThatCannotBeRightAreRefusedWhole) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto run = store->create_run(svo_run()).value();
  const auto other = store->finish(run, {"pvq", {}, {}}, "{}");
  EXPECT_EQ(other.error().message, "run 1 measures \"svo\"; its answers are of \"pvq\"");
  AnswerRow row;
  row.unit = "d1";
  row.item = "q1";
  row.probability = {0.5, std::nan("")};
  const auto nan = store->finish(run, {"svo", {row}, {}}, "{}");
  EXPECT_EQ(nan.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(nan.error().message, "the answer to item \"q1\" (unit \"d1\") holds a number that is not finite");
  EXPECT_EQ(store->run(run)->state, RunState::kRunning);
}

TEST(Store, OtherProgramsCanReadTheTables) {
  const Scratch scratch;
  {
    const auto store = open(scratch / "v.db");
    const auto run = store->create_run(svo_run()).value();
    AnswerRow row;
    row.item = "q1";
    row.probability = {0.25, 0.75};
    ASSERT_TRUE(store->finish(run, {"svo", {row}, {}}, "{}"));
  }
  EXPECT_EQ(first_cell(scratch / "v.db", "SELECT json_extract(probability, '$[1]') FROM answers WHERE item = 'q1'"), "0.75");
  EXPECT_EQ(first_cell(scratch / "v.db", "SELECT state FROM runs"), "finished");
  EXPECT_EQ(first_cell(scratch / "v.db", "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(first_cell(scratch / "v.db", "SELECT count(*) FROM pragma_table_list WHERE name IN ('runs', 'groups', "
                                         "'answers', 'events') AND strict"),
            "4");
}

TEST(Store, EventsAreKeptInOrder) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto run = store->create_run(svo_run()).value();
  ASSERT_TRUE(store->log(run, "info", "started"));
  ASSERT_TRUE(store->log(run, "warning", "slow"));
  const auto events = store->events(run).value();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].text, "started");
  EXPECT_EQ(events[1].level, "warning");
  EXPECT_EQ(events[1].time.size(), 20U);
}

TEST(Store, AMissingRunSaysWhichThereAre) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto path = (scratch / "v.db").string();
  EXPECT_EQ(store->run(7).error().message, "there is no run 7 in " + path + "; it is empty (valence runs)");
  ASSERT_TRUE(store->create_run(svo_run()));
  ASSERT_TRUE(store->create_run(svo_run()));
  EXPECT_EQ(store->answers(7).error().message, "there is no run 7 in " + path + "; its runs are 1 to 2 (valence runs)");
  EXPECT_EQ(store->run(7).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->set_state(7, RunState::kFailed).error().code, ErrorCode::kNotFound);
}

TEST(Store, ReadingNeedsAStoreAndWritesNothing) {
  const Scratch scratch;
  const auto missing = Store::open(scratch / "v.db", Store::Access::kReadOnly);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, "there is no store " + (scratch / "v.db").string() +
                                         ". Measure something first, or name another file with --store");
  ASSERT_TRUE(open(scratch / "v.db")->create_run(svo_run()));
  const auto store = open(scratch / "v.db", Store::Access::kReadOnly);
  EXPECT_EQ(store->runs()->size(), 1U);
  const auto written = store->create_run(svo_run());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kIo);
}

TEST(Store, OneWritesWhileOthersRead) {
  const Scratch scratch;
  const auto writer = open(scratch / "v.db");
  const auto run = writer->create_run(svo_run()).value();
  const auto reader = open(scratch / "v.db", Store::Access::kReadOnly);
  ASSERT_TRUE(writer->put_group(run, sha256("a"), {"x", 1, 1}));
  EXPECT_EQ(reader->count_groups(run).value(), 1U);
}

TEST(Store, AStepOfAStudyIsFoundByItsHashUntilItsRunIsForgotten) {
  const Scratch scratch;
  const auto store = open(scratch / "v.db");
  const auto run = store->create_run(svo_run()).value();
  ASSERT_TRUE(store->put_step({"h1", "measure", "svo · smollm2", run, 12.5}));
  EXPECT_FALSE(store->step("h2").value());
  const auto found = store->step("h1").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->run, run);
  EXPECT_EQ(found->kind, "measure");
  ASSERT_TRUE(store->remove_run(run));
  EXPECT_FALSE(store->step("h1").value());
}

// The file as version 1 of the schema left it, with one finished run.
constexpr const char* kVersionOne = R"sql(
PRAGMA application_id = 1447119950;
PRAGMA user_version = 1;
CREATE TABLE runs (id INTEGER PRIMARY KEY, key TEXT NOT NULL, instrument TEXT NOT NULL, subject TEXT NOT NULL,
  started TEXT NOT NULL, finished TEXT NOT NULL, state TEXT NOT NULL, settings TEXT NOT NULL, provenance TEXT NOT NULL,
  profile TEXT NOT NULL) STRICT;
CREATE TABLE groups (run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, digest TEXT NOT NULL,
  payload BLOB NOT NULL, seconds REAL NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (run, digest)) STRICT;
CREATE TABLE answers (run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, row INTEGER NOT NULL,
  unit TEXT NOT NULL, cluster TEXT NOT NULL, condition TEXT NOT NULL, item TEXT NOT NULL, variant TEXT NOT NULL,
  layout TEXT NOT NULL, format TEXT NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, probability TEXT NOT NULL,
  place TEXT NOT NULL, captured_mass REAL NOT NULL, draws INTEGER NOT NULL, text TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (run, row)) STRICT, WITHOUT ROWID;
CREATE TABLE events (id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  time TEXT NOT NULL, text TEXT NOT NULL) STRICT;
INSERT INTO runs VALUES (1, 'k', 'svo', 'smollm2', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z', 'finished', '{}', '{}',
  '{}');
INSERT INTO groups VALUES (1, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', x'6F6C64', 1.5, 20);
INSERT INTO answers VALUES (1, 0, 'd1', '', '', 'q1', '', '', 'letter', 'exact', 'scored', '[0.5,0.5]', '[0,1]', 1.0, 0,
  '', '');
INSERT INTO events VALUES (1, 1, '2026-01-01T00:00:00Z', 'started');
)sql";

void expect_migrated(const Store& store) {
  EXPECT_EQ(store.run(1)->state, RunState::kFinished);
  EXPECT_EQ(payload_of(store, 1, false), "old");
  EXPECT_EQ(store.answers(1)->rows.size(), 1U);
  EXPECT_TRUE(store.answers(1)->probes.empty());
  EXPECT_EQ(store.events(1)->at(0).level, "info");
}

TEST(StoreSchema, VersionOneIsMigratedAndKeepsItsContent) {
  const Scratch scratch;
  run_sql(scratch / "v.db", kVersionOne);
  const auto store = open(scratch / "v.db");
  ASSERT_TRUE(store);
  expect_migrated(*store);
  ASSERT_TRUE(store->log(1, "warning", "after"));
  EXPECT_EQ(first_cell(scratch / "v.db", "PRAGMA user_version"), "4");
}

TEST(StoreSchema, OpeningForReadingMigratesToo) {
  const Scratch scratch;
  run_sql(scratch / "v.db", kVersionOne);
  const auto store = open(scratch / "v.db", Store::Access::kReadOnly);
  ASSERT_TRUE(store);
  expect_migrated(*store);
}

TEST(StoreSchema, AMigratedFileHasTheSameTablesAsANewOne) {
  const Scratch scratch;
  run_sql(scratch / "old.db", kVersionOne);
  ASSERT_TRUE(open(scratch / "old.db"));
  ASSERT_TRUE(open(scratch / "new.db"));
  const std::string columns =
      "SELECT group_concat(t.name || '.' || c.name || ' ' || c.type || c.\"notnull\" || c.pk, char(10)) FROM "
      "(SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name) t, pragma_table_info(t.name) c";
  EXPECT_EQ(first_cell(scratch / "old.db", columns), first_cell(scratch / "new.db", columns));
}

TEST(StoreSchema, ANewerSchemaIsRefused) {
  const Scratch scratch;
  ASSERT_TRUE(open(scratch / "v.db"));
  run_sql(scratch / "v.db", "PRAGMA user_version = 5");
  for (const auto access : {Store::Access::kReadWrite, Store::Access::kReadOnly}) {
    const auto store = Store::open(scratch / "v.db", access);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kMismatch);
    EXPECT_EQ(store.error().message,
              "store " + (scratch / "v.db").string() +
                  ": written by a newer Valence (schema 5, this program knows 4). Use that version, "
                  "or name another file with --store");
  }
}

}  // namespace
}  // namespace valence
