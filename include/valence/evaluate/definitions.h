#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"

namespace valence {

/// What a value means, as an evaluator is told it.
struct ValueDefinition {
  std::string id;  ///< of the dimension
  std::string definition;
  std::vector<std::string> upholds, opposes;  ///< sentences, at least one of each
};

struct ValueDefinitions {
  std::string space;
  std::vector<ValueDefinition> values;  ///< in the space's order

  /// Of everything that is said: an evaluator that was told something else is another.
  Digest digest() const;
};

/// From `evaluate/definitions/<space>.toml` of the data folder: a definition and example sentences for every dimension
/// of the space, in its order. Fails with kUsage, file, line and key.
Result<ValueDefinitions> load_definitions(std::string_view space);
Result<ValueDefinitions> read_definitions(const std::filesystem::path& path);
Result<ValueDefinitions> parse_definitions(std::string_view toml, std::string_view name);

}  // namespace valence
