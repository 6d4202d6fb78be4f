#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/dimension_names.h"

namespace valence {

/// Words that stand for values: the floor under every evaluator.
struct ValueDictionary {
  std::size_t dims = 0;
  std::unordered_map<std::string, std::vector<std::size_t>> words;  ///< word → dimensions, each once

  /// How many words of the text stand for each dimension. Punctuation is removed, the rest split at white space and
  /// folded; word forms only, no stems and no negation.
  std::vector<std::size_t> hits(std::string_view text) const;
};

/// A JSON object of lists of words by name of dimension. Fails with kUsage on a name that the space has not or a list
/// that is none.
Result<ValueDictionary> read_dictionary(const std::filesystem::path& path, const DimensionNames& names);
/// The English dictionary of the ten basic values, from the data folder.
Result<ValueDictionary> english_dictionary(const DimensionNames& names);

}  // namespace valence
