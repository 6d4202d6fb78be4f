#include "valence/base/result.h"

namespace valence {

int exit_status(ErrorCode code) { return code == ErrorCode::kUsage ? 2 : 1; }

}  // namespace valence
