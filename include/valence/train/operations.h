#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/train/data.h"

namespace valence {

/// A way of moving weights: what it is, what data it learns from, its settings.
struct Operation {
  std::string id;     ///< "choice", "sft", "dpo", …
  std::string title;  ///< one sentence
  std::vector<RecordKind> data;
  SettingTable settings;  ///< those that every operation has, then its own
};

/// All operations, in the order they are listed.
const std::vector<Operation>& operations();
/// kUsage with the nearest name suggested.
Result<const Operation*> find_operation(std::string_view id);

}  // namespace valence
