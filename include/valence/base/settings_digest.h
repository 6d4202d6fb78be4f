#pragma once

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/base/settings.h"

namespace valence {

/// Adds settings to a digest, with the content of what their values name, so that an edited file counts as another: a
/// file (also one of several between commas), the TOML files beside a TOML file (a questionnaire names its wordings),
/// and of a folder that a training left its job and checkpoint. kIo when one cannot be read.
Result<void> add_settings(Hasher& hasher, const Settings& settings);

}  // namespace valence
