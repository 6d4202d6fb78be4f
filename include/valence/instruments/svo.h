#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/instruments/allocation.h"
#include "valence/instruments/instrument.h"
#include "valence/values/space.h"

namespace valence {

inline constexpr std::size_t kSliderOptions = 9;
inline constexpr std::size_t kPrimaryItems = 6;
inline constexpr std::size_t kSecondaryItems = 9;
inline constexpr std::size_t kOrientations = 4;

enum class SvoCategory { kAltruistic, kProsocial, kIndividualistic, kCompetitive };
inline constexpr std::array<SvoCategory, kOrientations> kSvoCategories = {
    SvoCategory::kAltruistic, SvoCategory::kProsocial, SvoCategory::kIndividualistic, SvoCategory::kCompetitive};
std::string_view to_string(SvoCategory category);  ///< "altruistic", …
Result<SvoCategory> svo_category_from(std::string_view text);

/// To which class an angle on a boundary belongs. Ackermann's scorer takes the upper one, HVAE's code the lower.
enum class BoundaryRule { kUpper, kLower };
Result<BoundaryRule> boundary_rule_from(std::string_view text);  ///< "upper", "lower"

/// Boundaries between categories in degrees: midpoints between neighbouring ideal responders.
struct SvoBoundaries {
  double altruistic_prosocial;         ///< 57.15
  double prosocial_individualistic;    ///< 22.45
  double individualistic_competitive;  ///< -12.04
};

/// One slider: nine divisions between two end points. Items 1–6 are primary, 7–15 secondary.
struct SliderItem {
  std::string id;  ///< "1" … "15"
  std::array<Allocation, kSliderOptions> options;
  /// Primary items: the orientation that option 1 and that option 9 serve best.
  std::optional<std::pair<SvoCategory, SvoCategory>> ends;
};

/// An ideal responder on the primary items: letters A–I for options 1–9, "?" where every option serves equally well.
struct SvoType {
  std::string id;  ///< "altruistic", "inequality_averse", "joint_gain", "individualistic", "competitive"
  std::string label;
  SvoCategory category;
  std::string answers;  ///< six letters
};

/// Ideal options of a motive on the secondary items; none where the item cannot tell.
struct SecondaryMotive {
  std::string id;  ///< "inequality_aversion", "joint_gain", "individualistic", "altruistic"
  std::string label;
  std::array<std::optional<std::size_t>, kSecondaryItems> ideal;  ///< options from 1
};

/// The Slider Measure as data (data/instruments/svo/svo.toml and items.csv).
struct SvoMeasure {
  std::string title;
  Provenance source;
  std::vector<SliderItem> items;  ///< all 15; the primary ones first
  SvoBoundaries boundaries;
  std::vector<SvoType> types;
  std::array<SecondaryMotive, 4> motives;  ///< in the order in which ties between them are broken

  std::span<const SliderItem> primary() const;
  std::span<const SliderItem> secondary() const;
  /// Place of an item in `items`; none when there is no such item.
  std::optional<std::size_t> find(std::string_view id) const;
};

/// Reads and checks the data files: six primary and nine secondary items of nine options each, every slider monotone.
Result<SvoMeasure> load_svo_measure();

/// Social value orientation as an angle in degrees, within [-16.26, 61.39] for real answers.
///
/// `chosen`: the allocations picked on the six primary items, in any order.
/// Fails with `kWrongCount` unless there are exactly six: a missing answer has no angle.
/// Source: Murphy, Ackermann and Handgraaf (2011), atan2 of the mean payoffs around (50, 50).
Result<double> svo_angle(std::span<const Allocation> chosen);
/// The angle of mean payoffs, in degrees.
double svo_angle_of_mean(const Allocation& mean);

/// Category of an angle in degrees.
SvoCategory svo_category(double degrees, const SvoBoundaries& boundaries, BoundaryRule rule = BoundaryRule::kUpper);

/// The allocations that letters A–I (either case) name on the first `letters.size()` items of `items`.
/// kUsage, naming the place, on any other character; kWrongCount when there are more letters than items.
Result<std::vector<Allocation>> svo_allocations(std::span<const SliderItem> items, std::string_view letters);

/// Whether choices fit one order of the four orientations. On each primary item the end nearer to the choice
/// (Euclidean) beats the other; equally near ends get half a point each and no edge.
struct SvoRanking {
  std::array<double, kOrientations> score{};  ///< by SvoCategory; sums to 6
  bool transitive = false;                    ///< the graph of "beats" has no cycle
  /// Descending score, equal scores together; empty unless transitive.
  std::vector<std::vector<SvoCategory>> order;
};
/// `chosen`: one allocation per primary item, in the items' order; else kWrongCount.
/// Source: Ackermann's scorer for the Slider Measure (2011).
Result<SvoRanking> svo_ranking(std::span<const SliderItem> primary, std::span<const Allocation> chosen);

/// Inequality aversion against joint gain, on the secondary items.
struct SecondaryIndex {
  std::array<double, 4> distance{};  ///< mean distance from each motive's ideal, in lengths of the slider; motives' order
  /// 0 = pure inequality aversion, 1 = pure joint gain; NaN unless these two are the two nearest motives.
  double index;
  std::string type;  ///< id of the nearer motive; "tie" when equally near; empty when the index is NaN
};
/// Option format: distance |option − ideal| / 8. `options`: nine numbers 1–9, for items 7–15; else kWrongCount/kInvalid.
Result<SecondaryIndex> svo_secondary(const SvoMeasure& measure, std::span<const std::size_t> options);
/// Continuous format: each choice is projected on its item's line; ideals are end points and true equal-payoff points.
/// `chosen`: nine allocations, for items 7–15.
Result<SecondaryIndex> svo_secondary_continuous(const SvoMeasure& measure, std::span<const Allocation> chosen);
/// The index that mean distances (motives' order) amount to.
SecondaryIndex secondary_index(const SvoMeasure& measure, const std::array<double, 4>& distance);

/// All that the published scorers report of each unit whose primary answers are certain (one option has probability 1):
/// array of {unit, condition, answers, angle, category: {upper, lower}, scores, transitive, rank_order,
/// secondary: null or {option_format, continuous_format}}, in order of first appearance. A unit with an uncertain or
/// missing primary answer has angle null and a `reason`.
Result<Json> svo_details(const AnswerTable& table);

/// The plain slider, put without any induction; also scores people's answers.
std::unique_ptr<Instrument> make_svo();

}  // namespace valence
