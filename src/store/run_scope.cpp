#include "valence/store/run_scope.h"

#include <cstring>

#include "valence/base/digest.h"

namespace valence {
namespace {

Result<FileLock> lock_key(const Store& store, std::string_view key) {
  std::error_code ignored;
  const auto database = std::filesystem::weakly_canonical(store.path(), ignored).string();
  const auto digest = sha256(fmt::format("{}\n{}", database, key));
  std::uint64_t place = 0;
  std::memcpy(&place, digest.bytes.data(), sizeof place);
  VALENCE_TRY(auto lock, FileLock::try_acquire(cache_folder() / "runs.lock", place));
  if (lock) return std::move(*lock);
  return fail(ErrorCode::kUsage,
              "another process is measuring this with the same settings into {}: wait for it, or give another --seed "
              "or --store",
              store.path().string());
}

Result<RunId> find_or_create(Store& store, const RunRecord& record, bool fresh) {
  if (fresh) return store.create_run(record);
  VALENCE_TRY(const auto unfinished, store.unfinished(record.key));
  if (!unfinished) return store.create_run(record);
  VALENCE_CHECK(store.set_state(unfinished->id, RunState::kRunning));
  VALENCE_CHECK(store.log(unfinished->id, "info", "resumed"));
  return unfinished->id;
}

}  // namespace

Result<RunScope> RunScope::begin(Store& store, const RunRecord& record, bool fresh) {
  VALENCE_TRY(auto lock, lock_key(store, record.key));
  VALENCE_TRY(const auto run, find_or_create(store, record, fresh));
  return RunScope(store, run, std::move(lock));
}

Error RunScope::ended(Error error) const {
  const auto groups = store_->count_groups(run_);
  if (error.code == ErrorCode::kUsage && groups && *groups == 0) {  // nothing to go on with
    static_cast<void>(store_->remove_run(run_));
    return error;
  }
  const bool stopped = error.code == ErrorCode::kStopped;
  // The store itself may be what failed: the run then stays "running" and is gone on with all the same.
  static_cast<void>(store_->log(run_, stopped ? "info" : "error", error.message));
  static_cast<void>(store_->set_state(run_, stopped ? RunState::kStopped : RunState::kFailed));
  return with_context(std::move(error), fmt::format("run {}", run_));
}

}  // namespace valence
