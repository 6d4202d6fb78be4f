#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/instruments/questionnaire.h"
#include "valence/instruments/svo.h"
#include "valence/store/answers.h"
#include "valence/values/target.h"

namespace valence {

/// What a target would answer: a distribution over the options of each item, in the item's own order.
struct AnswerKey {
  std::string rule;       ///< how it was made, one sentence for records
  bool is_scale = false;  ///< options are steps of a rating scale: nothing is right, more or less is
  std::map<std::pair<std::string, std::string>, std::vector<double>> answers;  ///< (condition, item) → distribution

  /// The distribution for a row's item: that of its condition, else that of every condition; null where the target says
  /// nothing.
  const std::vector<double>* find(const AnswerRow& row) const;
};

/// kUsage for a distributional target, whose questions only `opinions` puts; `who` cannot answer for it.
Result<void> require_scores(const Target& target, std::string_view who);

/// Standard deviation of a single answer where the target's source gives none, in steps of the scale: ours, no
/// survey's.
inline constexpr double kStatedSpread = 1.0;

/// What somebody with the target's scores would answer to a questionnaire. An item of a dimension that the target
/// leaves out has no answer.
///
///  the target's own answers   where it holds answers to this very questionnaire: exactly these, whole probability each
///  raw scores                 the maximum-entropy distribution (stats::max_entropy) over the scale's options with the
///                             score as its mean; on a reversed item from + to − score
///  centred scores             the same around the middle of the scale: the level is what centring took away, and the
///                             questionnaire's own centring takes it away again
///
/// Standard deviation: the target's `spreads` where given, else kStatedSpread, or less where the mean allows no more
/// entropy than that.
///
/// kUsage, saying what would do, when the target lives in another space; is of the unit convention (name the map
/// to_1_6: nothing else says which rating a 0 is); or has a mean that the scale's options cannot have.
Result<AnswerKey> questionnaire_key(const Questionnaire& questionnaire, const Target& target);

/// What somebody who looks in the target's one direction picks on each slider (best_on_slider), the direction being
/// that of the space's dimension. kUsage unless the target lives in the ring and is narrowed to one direction.
Result<AnswerKey> slider_key(std::span<const SliderItem> items, const Target& target);

/// The one dimension of a target that is narrowed to it; kUsage otherwise.
Result<std::string> only_direction(const Target& target);

/// The directions of the ring that a target holds an angle for, in degrees. kUsage for a target of another space,
/// naming `instrument`.
Result<std::vector<std::pair<std::string, double>>> directions_of(const Target& target, std::string_view instrument);

/// A key of which every (condition, item) holds for one direction; a helper of instruments that have arms.
void add_sliders(AnswerKey& key, const std::string& condition, std::span<const SliderItem> items, double degrees);

}  // namespace valence
