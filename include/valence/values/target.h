#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/values/space.h"

namespace valence {

struct OpinionTarget;  // valence/values/opinions.h

/// Lowest and highest value that an instrument can return, in the space's unit.
struct Band {
  double low;
  double high;
};

/// What a target's numbers are. Numbers of different conventions are never compared without a named map.
enum class ScoreScale {
  kNone,     ///< a ring: angles in the space's unit
  kRaw,      ///< survey units: means of ratings as given
  kCentred,  ///< survey units with each person's mean rating taken off (ipsatised)
  kUnit,     ///< scaled to [-1, 1], 0 = neither upheld nor opposed
};
std::string_view to_string(ScoreScale scale);  ///< "none", "raw", "centred", "unit"
/// "raw", "centred" or "unit"; kUsage on anything else.
Result<ScoreScale> score_scale_from(std::string_view text);

/// 95 % interval of a value that comes from a sample. NaN ends: the source gives none.
struct SampleInterval {
  double low, high;
  std::size_t count = 0;  ///< respondents behind the value
};

/// What one person answered to the items of a questionnaire, as given (reversed items not turned round).
struct OwnAnswers {
  std::string questionnaire;                          ///< its id
  std::vector<std::pair<std::string, double>> items;  ///< item id → answer; unanswered items are absent
};

/// A position that people chose, with its provenance.
///
/// In a ring one target file holds one angle per direction: where a subject should stand that serves that direction.
/// In a space of scores a dimension that the target leaves out has the value NaN: a target of Security alone says
/// nothing about the other nine, which is not the same as wanting them at 0.
struct Target {
  std::string id;
  std::string space;
  std::string label;
  std::string instrument;                               ///< the instrument whose range `reachable` is; may be empty
  std::optional<Band> reachable;                        ///< range of real answers, for value rationality
  std::vector<std::pair<std::string, double>> values;   ///< dimension id → value, in the space's order
  Provenance provenance;
  ScoreScale scale = ScoreScale::kNone;
  std::vector<double> weights;            ///< one per value, at least 0; empty = 1 each. 0 where the value is NaN
  std::vector<SampleInterval> intervals;  ///< one per value; empty when the values come from no sample
  std::size_t respondents = 0;            ///< behind the target; 0 = no sample
  std::optional<double> mean_rating;      ///< kRaw: mean of all answers to all items ("MRAT"), what centring takes off
  /// One per value: standard deviation of a single answer to an item of the dimension, over people and items, in the
  /// target's convention; NaN = not known. Empty when the source gives none.
  std::vector<double> spreads;
  std::optional<OwnAnswers> answers;  ///< of a target that is one person's
  /// Of a distributional target, which has no values: how people answered a survey's questions. Null for scores.
  std::shared_ptr<const OpinionTarget> opinions = nullptr;

  std::optional<double> value(std::string_view dimension) const;
  double weight(std::size_t place) const;  ///< of values[place]
};

/// The target with the given dimensions only; the others become no part of it. All when there are none given. kUsage,
/// with the nearest suggested, on one that it does not hold; a distributional target has none.
Result<Target> narrowed(Target target, std::span<const std::string> dimensions);

/// Named maps between conventions. There is none from centred to unit: centring has taken away where the middle of the
/// rating scale was.
enum class ScaleMap {
  kCentre,    ///< "centre", raw → centred: the mean rating is taken off; where it is not known, the mean of the
              ///< dimensions
  kFrom1To6,  ///< "from_1_6", raw ratings 1–6 (6 = very much like me) → unit: (m − 3.5) / 2.5
  kTo1To6,    ///< "to_1_6", unit → raw: 3.5 + 2.5·u
};
Result<ScaleMap> scale_map_from(std::string_view name);
ScoreScale result_of(ScaleMap map);

/// The target under another convention. Fails with kUsage when the map does not start from the target's convention, on
/// ratings outside 1–6, and when the mean rating of a target that leaves dimensions out is not known.
/// Centring drops intervals and spreads: that of a difference does not follow from those of its parts.
Result<Target> converted(const Target& target, ScaleMap map);

/// Whether numbers of the two may be held against each other: kUsage unless space and convention agree, naming the map
/// that would make them agree, or why there is none.
Result<void> check_comparable(const Target& a, const Target& b);

/// A target by its id, checked against its space: from `targets/<id>.toml` of the data folder, or a row of a catalogue
/// `targets/catalogues/<name>.toml`; or a path that ends in ".toml". Errors as load_space; kUsage for a file of answer
/// distributions (load_any_target takes those, too).
Result<Target> load_target(std::string_view id);
Result<Target> parse_target(std::string_view toml, std::string_view name, const Space& space);
/// A file as to_toml writes it.
Result<Target> read_target(const std::filesystem::path& file);
std::string to_toml(const Target& target);

/// Ids of all targets of the data folder, in alphabetical order; with `space`, only those that live in it.
Result<std::vector<std::string>> list_targets(std::string_view space = {});

}  // namespace valence
