#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/values/space.h"
#include "valence/values/target.h"

namespace valence {

/// How labels of the parts make a label of the whole.
enum class LabelRule {
  kSignOfSum,  ///< −1, 0 or +1: the sign of the sum; a tie is +1, and flagged
  kAny,        ///< 0 or 1: present when any part is
};

/// Which dimensions of one space make up each dimension of another: `spaces/maps/<id>.toml` of the data folder.
struct SpaceMap {
  std::string id, from, to;
  Provenance source;
  LabelRule labels = LabelRule::kSignOfSum;
  bool averages = false;  ///< a score is the mean of its parts' scores; else scores have no map
  std::vector<std::optional<std::size_t>> places;  ///< per dimension of `from`: its place in `to`; nothing = left out
  std::size_t size = 0;                            ///< number of dimensions of `to`
};

/// Reads a map. Every dimension of `from` is a part of exactly one of `to`, or named in "left_out"; every dimension of
/// `to` has a part. Errors name file, line and key.
Result<SpaceMap> read_space_map(const std::filesystem::path& file);
Result<SpaceMap> parse_space_map(std::string_view toml, std::string_view name);
/// By its id. kNotFound names the maps there are.
Result<SpaceMap> load_space_map(std::string_view id);
Result<std::vector<std::string>> list_space_maps();

struct MappedLabel {
  int label = 0;       ///< −1, 0 or +1
  bool tie = false;    ///< labels of both signs cancelled out: +1 by rule, for a person to review
  bool mixed = false;  ///< labels of both signs
};

/// One label from several: the sign of their sum, 0 for none, +1 for a tie. Measured on the published labels of Value
/// FULCRA: unanimous items always give their sign; ties are listed with both signs, +1 last in 21 of 25.
MappedLabel merged_label(std::span<const int> labels);

/// Labels of `from`, one per dimension, as labels of `to`. Fails with kWrongCount on another number of labels, and with
/// kInvalid on a label that the rule does not know (−1 under kAny).
Result<std::vector<MappedLabel>> map_labels(const SpaceMap& map, std::span<const int> labels);

/// A target of `from` as a target of `to`: mean of the parts, by their weights where it has some. A dimension of which
/// any part is left out is left out. Intervals are dropped: that of a mean does not follow from those of its parts.
/// Fails with kUsage when the target lives elsewhere or the map has no scores.
Result<Target> map_target(const Target& target, const SpaceMap& map);

/// The target under a map by its name, of scales (scale_map_from) or of spaces. kUsage on an unknown name.
Result<Target> mapped(const Target& target, std::string_view map);

/// A target by id or file; unless `map` is empty, as that map makes it.
Result<Target> load_mapped_target(const std::string& id, std::string_view map);

/// "observing social norms: +1": what the published label files hold.
struct NamedLabel {
  std::string name;
  int sign;  ///< −1, 0 or +1
};
/// Fails with kInvalid on anything but "name: sign" with a sign of +1, 1, 0 or -1.
Result<NamedLabel> parse_named_label(std::string_view text);

}  // namespace valence
