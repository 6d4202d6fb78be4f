#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// Which fold each row belongs to. A fold is tested by an evaluator that was fitted on all others.
struct Folds {
  std::vector<std::size_t> of_row;
  std::size_t count = 0;
  std::vector<std::string> names;  ///< one per fold

  std::vector<std::size_t> inside(std::size_t fold) const;  ///< rows, in order
  std::vector<std::size_t> outside(std::size_t fold) const;
};

/// `count` folds of about as many rows each, no group in two. Groups are taken in the order of a hash of seed and name,
/// each into the fold that has fewest rows, so the order of the file does not matter. Fails with kWrongCount on fewer
/// than 2 folds or fewer groups than folds.
Result<Folds> grouped_folds(std::span<const std::string> groups, std::size_t count, std::uint64_t seed);

/// One fold per name (leave one responder out). Fails with kWrongCount when there is only one name.
Result<Folds> folds_by_name(std::span<const std::string> names);

/// Whether a group is held out, by a hash of seed and name alone: adding rows moves no other row. `share` in [0, 1].
bool is_held_out(std::string_view group, double share, std::uint64_t seed);

}  // namespace valence
