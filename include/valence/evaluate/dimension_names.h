#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "valence/base/result.h"
#include "valence/values/space.h"

namespace valence {

/// The dimensions of a space as labelled data calls them.
struct DimensionNames {
  std::string space;
  std::vector<std::string> dimensions;                  ///< ids, in the space's order
  std::unordered_map<std::string, std::size_t> byname;  ///< folded name → dimension

  std::size_t size() const { return dimensions.size(); }
  std::optional<std::size_t> find(
      std::string_view name) const;  ///< case, outer space and "_" for " " or "-" do not count
  /// The dimension called `name`, or kUsage with the nearest name there is.
  Result<std::size_t> at(std::string_view name) const;
};

/// Ids and labels of the space, and what `evaluate/names/<space>.toml` of the data folder adds where there is one.
/// Fails with kUsage on a name given to two dimensions or to one that the space has not.
Result<DimensionNames> dimension_names(const Space& space);

}  // namespace valence
