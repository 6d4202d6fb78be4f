#pragma once

#include <string_view>

#include "valence/base/files.h"
#include "valence/base/result.h"
#include "valence/store/store.h"

namespace valence {

/// A run under way in this process, from the moment that it is begun or gone on with until it is finished or ends
/// badly. One process works on a key at a time: the lock goes with the scope.
class RunScope {
 public:
  /// Goes on with the unfinished run of `record.key` unless `fresh`, else creates one. kUsage while another process
  /// works on the same key in the same store.
  static Result<RunScope> begin(Store& store, const RunRecord& record, bool fresh = false);

  RunId run() const { return run_; }
  /// Files how the run ended (stopped or failed; forgotten when nothing was computed because of what the user wrote)
  /// and gives the error with the run named.
  Error ended(Error error) const;

 private:
  RunScope(Store& store, RunId run, FileLock lock) : store_(&store), run_(run), lock_(std::move(lock)) {}

  Store* store_;
  RunId run_;
  FileLock lock_;
};

}  // namespace valence
