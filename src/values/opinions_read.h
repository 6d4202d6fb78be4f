#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "valence/values/opinions.h"

namespace valence {

/// One question as one group answered it, with its place in the file for messages.
struct OpinionRecord {
  std::string where, group, question;
  std::vector<std::string> options;
  std::vector<double> share;
};

/// The records of a file, in its order. Errors as import_opinions.
Result<std::vector<OpinionRecord>> read_opinion_records(const std::filesystem::path& file);

}  // namespace valence
