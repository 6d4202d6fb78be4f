#pragma once

#include <cstdint>

#include "sqlite.h"
#include "valence/base/result.h"

namespace valence {

/// The schema version that this program writes.
std::int64_t schema_version();

/// Version of an open file; 0 = empty. kCorrupt: another program's database. kMismatch: newer than this program.
Result<std::int64_t> check_schema(const Database& database);

/// Takes the file from `version` to the present one, all steps in one transaction.
Result<void> migrate(const Database& database, std::int64_t version);

}  // namespace valence
