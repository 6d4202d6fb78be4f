#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// Where something came from and what may be done with it. Every data file says so.
struct Provenance {
  std::string citation;
  std::string licence;
  std::string note;  ///< may be empty
};

enum class SpaceKind {
  kVector,  ///< a score per dimension, no geometry between dimensions
  kCircle,  ///< a score per dimension; dimensions stand on a circle, neighbours are compatible
  kRing,    ///< one angle; dimensions are named directions on the ring
};

struct Dimension {
  std::string id;
  std::string label;
  std::size_t index = 0;                       ///< place in vectors of this space: the order of the file
  std::optional<double> angle;                 ///< kRing: degrees in (-180, 180]
  std::optional<std::size_t> circle_position;  ///< kCircle: wedge, from 1; two dimensions may share one
  std::string opposite;                        ///< id of the higher-order group or dimension opposed; may be empty
  std::string higher_order;                    ///< group it belongs to; may be empty
  std::vector<std::string> aliases;            ///< other names in published label files
};

/// Named dimensions with their theory.
struct Space {
  std::string id;
  std::string title;
  SpaceKind kind = SpaceKind::kVector;
  std::string coordinate;  ///< kRing: name of the angle that places a subject ("angle"); else empty
  std::string unit;        ///< of a score or of the coordinate: "degrees"; may be empty
  Provenance source;
  std::vector<Dimension> dimensions;

  const Dimension* find(std::string_view dimension) const;  ///< by its id
  /// By id, label or alias, as label files written by people have them: case, outer white space, "be" or "have" and an
  /// article in front do not count. Folds every name: look names up once per file, not once per row.
  const Dimension* named(std::string_view name) const;
};

/// A space by its id, from `spaces/<id>.toml` of the data folder. An unknown id is kNotFound, names the spaces there
/// are and suggests the nearest; a malformed file is kUsage with file, line and key.
Result<Space> load_space(std::string_view id);
Result<Space> read_space(const std::filesystem::path& file);
Result<Space> parse_space(std::string_view toml, std::string_view name);

/// Ids of all spaces of the data folder, in alphabetical order.
Result<std::vector<std::string>> list_spaces();

}  // namespace valence
