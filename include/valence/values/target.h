#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/values/space.h"

namespace valence {

/// Lowest and highest value that an instrument can return, in the space's unit.
struct Band {
  double low;
  double high;
};

/// A position that people chose, with its provenance.
///
/// In a ring one target file holds one angle per direction: where a subject should stand that serves that direction.
struct Target {
  std::string id;
  std::string space;
  std::string label;
  std::string instrument;                               ///< the instrument whose range `reachable` is; may be empty
  std::optional<Band> reachable;                        ///< range of real answers, for value rationality
  std::vector<std::pair<std::string, double>> values;   ///< dimension id → value, in the space's order
  Provenance provenance;

  std::optional<double> value(std::string_view dimension) const;
};

/// A target by its id, from `targets/<id>.toml` of the data folder, checked against its space. Errors as load_space.
Result<Target> load_target(std::string_view id);
Result<Target> parse_target(std::string_view toml, std::string_view name, const Space& space);

/// Ids of all targets of the data folder, in alphabetical order; with `space`, only those that live in it.
Result<std::vector<std::string>> list_targets(std::string_view space = {});

}  // namespace valence
