#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/store/answers.h"
#include "valence/store/training.h"
#include "valence/values/profile.h"

namespace valence {

using RunId = std::int64_t;

enum class RunState { kRunning, kStopped, kFailed, kFinished };

/// One administration of one instrument to one subject. `key` is a digest of what was asked for (instrument, version,
/// subject, settings, seed): a run with the same key that is not finished is gone on with.
struct RunRecord {
  RunId id = 0;
  std::string key;
  std::string instrument;
  std::string subject;       ///< name for people
  std::string started;       ///< ISO 8601, UTC
  std::string finished;      ///< empty until then
  RunState state = RunState::kRunning;
  std::string settings;      ///< JSON object: every setting as resolved
  std::string provenance;    ///< JSON object: model identity and facts, versions, CPU, seed, first question's tokens
  std::string profile;       ///< JSON object, empty until finished
};

struct StoredGroup {
  std::string payload;   ///< encoded responses
  double seconds = 0.0;
  std::size_t tokens = 0;
};

struct Event {
  std::string time;   ///< ISO 8601, UTC
  std::string level;  ///< "info", "warning", "error"
  std::string text;
};

/// A step of a study that is done.
struct StepRecord {
  std::string hash;      ///< hex digest of everything that the step's result depends on
  std::string kind;      ///< "measure", "align", "gap", "tax"
  std::string what;      ///< what makes two steps take about as long: "svo · smollm2"
  RunId run = 0;         ///< that holds its result
  double seconds = 0.0;  ///< that it took
};

struct StoreLimits {
  std::chrono::milliseconds patience{10000};  ///< how long another process may hold the write lock before kIo
  std::uint64_t largest = 0;                  ///< bytes that the file may grow to, then kDiskFull; 0 = the disk's end
};

/// The project's database: one SQLite file in WAL mode, tables as in docs/formats.md, readable by other programs. Used
/// from one thread at a time; several processes may read while one writes.
///
/// Every call that writes is one transaction, synced to the disk before it returns (synchronous = FULL: a commit takes
/// milliseconds, a group seconds): `kill -9` and loss of power lose at most the group in flight. A full disk is
/// kDiskFull, a read-only or locked file kIo, a damaged or foreign file kCorrupt, a newer schema kMismatch, each with
/// what to do.
class Store {
 public:
  enum class Access { kReadWrite, kReadOnly };
  /// Creates the file (kReadWrite only; kNotFound otherwise) and migrates an older schema. A read-only medium can be
  /// read when it needs no migration.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path, Access access = Access::kReadWrite,
                                             const StoreLimits& limits = {});
  virtual ~Store() = default;

  virtual const std::filesystem::path& path() const = 0;
  /// `id` is given here; `started` is now when empty.
  virtual Result<RunId> create_run(const RunRecord& run) = 0;
  /// The latest run with this key that is not finished.
  virtual Result<std::optional<RunRecord>> unfinished(std::string_view key) const = 0;
  /// The latest finished run with this key.
  virtual Result<std::optional<RunId>> finished(std::string_view key) const = 0;
  virtual Result<void> set_state(RunId run, RunState state) = 0;
  /// Forgets a run and all that belongs to it.
  virtual Result<void> remove_run(RunId run) = 0;
  virtual Result<std::vector<RunRecord>> runs() const = 0;
  virtual Result<RunRecord> run(RunId id) const = 0;  ///< kNotFound lists where to look

  /// Groups belong to a run. With `any_run` a group of another run with the same digest is taken too (reuse).
  virtual Result<std::optional<StoredGroup>> group(RunId run, const Digest& digest, bool any_run) const = 0;
  virtual Result<void> put_group(RunId run, const Digest& digest, const StoredGroup& group) = 0;
  virtual Result<std::size_t> count_groups(RunId run) const = 0;

  /// Replaces the run's answers and profile and marks it finished, in one transaction. kInvalid when a number of a row
  /// is not finite, or when the answers are of another instrument than the run.
  virtual Result<void> finish(RunId run, const AnswerTable& answers, std::string_view profile_json) = 0;
  virtual Result<AnswerTable> answers(RunId run) const = 0;

  /// A training run's steps; a step that is there already is replaced (a resumed run does some again). kInvalid when a
  /// number is not finite.
  virtual Result<void> put_training_step(RunId run, const TrainingStep& step) = 0;
  virtual Result<std::vector<TrainingStep>> training_steps(RunId run) const = 0;

  /// Files that a run made, one of each kind: a later one of the same kind takes the place of the earlier.
  virtual Result<void> put_artefact(RunId run, const Artefact& artefact) = 0;
  virtual Result<std::vector<Artefact>> artefacts(RunId run) const = 0;

  /// Steps of studies: by their hash; when a run is forgotten its steps are.
  virtual Result<std::optional<StepRecord>> step(std::string_view hash) const = 0;
  virtual Result<void> put_step(const StepRecord& step) = 0;  ///< in place of another of the same hash

  virtual Result<void> log(RunId run, std::string_view level, std::string_view text) = 0;
  virtual Result<std::vector<Event>> events(RunId run) const = 0;
};

std::string_view to_string(RunState state);

/// kUsage, with what to do, for a run whose answers and profile are not in the store yet.
Result<void> require_finished(const RunRecord& run);

}  // namespace valence
