#include "valence/instruments/answer_key.h"

#include <algorithm>
#include <cmath>

#include "valence/base/text.h"
#include "valence/stats/max_entropy.h"
#include "valence/values/space.h"

namespace valence {
namespace {

/// Mean answer and its spread, both in points of the scale as it stands (not turned round).
struct AnswerAim {
  double mean;
  std::optional<double> spread;
};

double middle_of(const Questionnaire& questionnaire) { return (questionnaire.from + questionnaire.to) / 2.0; }

/// What is added to a score to make it a mean answer.
double level_of(const Questionnaire& questionnaire, const Target& target) {
  return target.scale == ScoreScale::kRaw ? 0.0 : middle_of(questionnaire);
}

Result<void> check_expressible(const Questionnaire& questionnaire, const Target& target) {
  VALENCE_CHECK(require_scores(target, questionnaire.id));
  if (target.space != questionnaire.space) {
    return fail(
        ErrorCode::kUsage,
        "{} cannot answer for target {}: its items are of the space {}, the target lives in {}; it takes the raw and "
        "centred targets of valence target list --space {}",
        questionnaire.id, target.id, questionnaire.space, target.space, questionnaire.space);
  }
  if (target.scale != ScoreScale::kUnit) return {};
  return fail(
      ErrorCode::kUsage,
      "{} cannot answer for target {}: it is scaled to [-1, 1], which is no rating. Name the map \"to_1_6\" to read "
      "it as ratings from 1 to 6, or take a raw or centred target",
      questionnaire.id, target.id);
}

/// Never wider than what the mean alone would give, nor narrower than whole answers can be.
double stated_spread(std::size_t steps, double mean, const std::vector<double>& widest) {
  return std::max(stats::deviations_with_mean(steps, mean).low, std::min(kStatedSpread, stats::step_deviation(widest)));
}

Result<std::vector<double>> distribution_of(const Questionnaire& questionnaire, const AnswerAim& aim) {
  const auto steps = questionnaire.labels.size();
  const double mean = aim.mean - questionnaire.from;
  if (aim.spread) return stats::max_entropy(steps, mean, aim.spread);
  VALENCE_TRY(const auto widest, stats::max_entropy(steps, mean));
  return stats::max_entropy(steps, mean, stated_spread(steps, mean, widest));
}

/// The answer that the person behind the target gave to this very item.
std::optional<double> own_answer(const Questionnaire& questionnaire, const QuestionnaireItem& item,
                                 const Target& target) {
  if (!target.answers || target.answers->questionnaire != questionnaire.id) return std::nullopt;
  const auto& given = target.answers->items;
  const auto found = std::ranges::find(given, item.id, &std::pair<std::string, double>::first);
  return found == given.end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<double>> certain(const Questionnaire& questionnaire, double answer) {
  std::vector<double> distribution(questionnaire.labels.size(), 0.0);
  if (answer != std::floor(answer) || answer < questionnaire.from || answer > questionnaire.to) {
    return fail(ErrorCode::kUsage, "the answer {} should be a whole number from {} to {}", answer, questionnaire.from,
                questionnaire.to);
  }
  distribution[static_cast<std::size_t>(answer) - static_cast<std::size_t>(questionnaire.from)] = 1.0;
  return distribution;
}

/// Nothing where the target says nothing about the item.
std::optional<AnswerAim> aim_of(const Questionnaire& questionnaire, const QuestionnaireItem& item,
                                const Target& target) {
  const auto found = std::ranges::find(target.values, item.dimension, &std::pair<std::string, double>::first);
  if (found == target.values.end() || std::isnan(found->second)) return std::nullopt;
  const auto place = static_cast<std::size_t>(found - target.values.begin());
  AnswerAim aim{found->second + level_of(questionnaire, target), std::nullopt};
  if (item.reversed) aim.mean = questionnaire.from + questionnaire.to - aim.mean;
  if (place < target.spreads.size() && !std::isnan(target.spreads[place])) aim.spread = target.spreads[place];
  return aim;
}

Result<void> add_item(AnswerKey& key, const Questionnaire& questionnaire, const QuestionnaireItem& item,
                      const Target& target) {
  const auto aim = aim_of(questionnaire, item, target);
  if (!aim) return {};
  const auto own = own_answer(questionnaire, item, target);
  auto distribution = own ? certain(questionnaire, *own) : distribution_of(questionnaire, *aim);
  if (!distribution) {
    return fail(ErrorCode::kUsage, "{}, item {} ({}): target {} cannot be answered on a scale from {} to {}: {}",
                questionnaire.id, item.id, item.dimension, target.id, questionnaire.from, questionnaire.to,
                distribution.error().message);
  }
  key.answers[{"", item.id}] = *std::move(distribution);
  return {};
}

std::string rule_of(const Questionnaire& questionnaire, const Target& target) {
  const bool given = !target.spreads.empty();
  return fmt::format("maximum-entropy answers with the mean of {}{}, standard deviation {}", target.id,
                     target.scale == ScoreScale::kCentred ? fmt::format(" around {}", middle_of(questionnaire)) : "",
                     given ? std::string("as the target has it") : fmt::format("at most {} (ours)", kStatedSpread));
}

}  // namespace

const std::vector<double>* AnswerKey::find(const AnswerRow& row) const {
  auto found = answers.find({row.condition, row.item});
  if (found == answers.end()) found = answers.find({"", row.item});
  return found == answers.end() ? nullptr : &found->second;
}

Result<void> require_scores(const Target& target, std::string_view who) {
  if (!target.opinions) return {};
  return fail(ErrorCode::kUsage,
              "{} cannot answer for target {}, which holds how people answered a survey's own questions: take the "
              "instrument opinions, whose questions are that file's, or a target of scores (valence target list)",
              who, target.id);
}

Result<AnswerKey> questionnaire_key(const Questionnaire& questionnaire, const Target& target) {
  VALENCE_CHECK(check_expressible(questionnaire, target));
  AnswerKey key{rule_of(questionnaire, target), true, {}};
  for (const auto& item : questionnaire.items) VALENCE_CHECK(add_item(key, questionnaire, item, target));
  return key;
}

Result<std::vector<std::pair<std::string, double>>> directions_of(const Target& target, std::string_view instrument) {
  VALENCE_CHECK(require_scores(target, instrument));
  VALENCE_TRY(const auto space, load_space(target.space));
  if (space.kind != SpaceKind::kRing) {
    return fail(
        ErrorCode::kUsage,
        "{} cannot answer for target {}, which lives in {}: it divides coins, which shows a direction of the ring "
        "(svo_reachable with one of altruistic, prosocial, individualistic, competitive)",
        instrument, target.id, target.space);
  }
  std::vector<std::pair<std::string, double>> directions;
  for (const auto& [dimension, value] : target.values) {
    if (!std::isnan(value)) directions.emplace_back(dimension, space.find(dimension)->angle.value_or(0.0));
  }
  return directions;
}

Result<std::string> only_direction(const Target& target) {
  std::vector<std::string> directions;
  for (const auto& [dimension, value] : target.values) {
    if (!std::isnan(value)) directions.push_back(dimension);
  }
  if (directions.size() == 1) return directions.front();
  return fail(ErrorCode::kUsage,
              "target {} holds an angle for {}; a subject can be brought to one: name it (dimensions = [\"{}\"], or "
              "--direction)",
              target.id, fmt::join(directions, ", "), directions.empty() ? "…" : directions.front());
}

void add_sliders(AnswerKey& key, const std::string& condition, std::span<const SliderItem> items, double degrees) {
  for (const auto& item : items) key.answers[{condition, item.id}] = best_on_slider(item.options, degrees);
}

Result<AnswerKey> slider_key(std::span<const SliderItem> items, const Target& target) {
  VALENCE_TRY(const auto directions, directions_of(target, "the slider"));
  VALENCE_TRY(const auto direction, only_direction(target));
  AnswerKey key{fmt::format("the end of each slider that is worth most in the {} direction; all points where both are",
                            direction),
                false,
                {}};
  add_sliders(key, "", items, directions.front().second);
  return key;
}

}  // namespace valence
