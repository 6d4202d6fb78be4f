#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "svo_answers.h"
#include "valence/base/json.h"

namespace valence {
namespace {

/// The option that is certain, if one is.
std::optional<std::size_t> certain_option(const SliderAnswers::Cell& cell) {
  const auto found = std::ranges::find(cell.probability, 1.0);
  if (cell.rows == 0 || found == cell.probability.end()) return std::nullopt;
  return static_cast<std::size_t>(found - cell.probability.begin());
}

/// Certain options of items [from, to); shorter when one is missing or uncertain.
std::vector<std::size_t> certain_options(const SliderAnswers& answers, std::size_t from, std::size_t to) {
  std::vector<std::size_t> options;
  for (std::size_t i = from; i < to && i < answers.cells.size(); ++i) {
    const auto option = certain_option(answers.cells[i]);
    if (!option) break;
    options.push_back(*option);
  }
  return options;
}

std::vector<Allocation> allocations_at(std::span<const SliderItem> items, const std::vector<std::size_t>& options) {
  std::vector<Allocation> chosen;
  for (std::size_t i = 0; i < options.size(); ++i) chosen.push_back(items[i].options[options[i]]);
  return chosen;
}

std::string letters_of(const std::vector<std::size_t>& options) {
  std::string letters;
  for (const auto option : options) letters += static_cast<char>('A' + option);
  return letters;
}

Json ranking_json(const SvoRanking& ranking) {
  Json json = Json::object();
  for (const auto category : kSvoCategories) {
    json["scores"][std::string(to_string(category))] = ranking.score[static_cast<std::size_t>(category)];
  }
  json["transitive"] = ranking.transitive;
  json["rank_order"] = Json::array();
  for (const auto& tied : ranking.order) {
    Json group = Json::array();
    for (const auto category : tied) group.push_back(std::string(to_string(category)));
    json["rank_order"].push_back(std::move(group));
  }
  return json;
}

Json index_json(const SvoMeasure& measure, const SecondaryIndex& index) {
  Json json = Json::object();
  for (std::size_t m = 0; m < measure.motives.size(); ++m) json["distance"][measure.motives[m].id] = index.distance[m];
  json["index"] = number_or_null(index.index);
  json["type"] = index.type.empty() ? Json(nullptr) : Json(index.type);
  return json;
}

Result<Json> secondary_json(const SvoMeasure& measure, const SliderAnswers& answers) {
  auto options = certain_options(answers, kPrimaryItems, measure.items.size());
  if (options.size() != kSecondaryItems) return Json(nullptr);
  VALENCE_TRY(const auto continuous,
              svo_secondary_continuous(measure, allocations_at(measure.secondary(), options)));
  for (auto& option : options) ++option;  // published options count from 1
  VALENCE_TRY(const auto discrete, svo_secondary(measure, options));
  return Json{{"option_format", index_json(measure, discrete)}, {"continuous_format", index_json(measure, continuous)}};
}

Result<Json> unit_json(const SvoMeasure& measure, const std::string& unit, const std::string& condition,
                       const SliderAnswers& answers) {
  Json json = {{"unit", unit}, {"condition", condition}};
  const auto options = certain_options(answers, 0, kPrimaryItems);
  if (options.size() != kPrimaryItems) {
    json["angle"] = nullptr;
    json["reason"] = fmt::format("item {} has no certain answer; an angle needs all six", options.size() + 1);
    return json;
  }
  const auto chosen = allocations_at(measure.primary(), options);
  VALENCE_TRY(const auto angle, svo_angle(chosen));
  VALENCE_TRY(const auto ranking, svo_ranking(measure.primary(), chosen));
  json["answers"] = letters_of(options);
  json["angle"] = angle;
  json["category"] = {
      {"upper", std::string(to_string(svo_category(angle, measure.boundaries, BoundaryRule::kUpper)))},
      {"lower", std::string(to_string(svo_category(angle, measure.boundaries, BoundaryRule::kLower)))}};
  json.update(ranking_json(ranking));
  VALENCE_TRY(json["secondary"], secondary_json(measure, answers));
  return json;
}

}  // namespace

Result<Json> svo_details(const AnswerTable& table) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto sheet, slider_sheet(measure, table));
  Json details = Json::array();
  for (const auto& arm : sheet.arms) {
    for (std::size_t u = 0; u < sheet.units.size(); ++u) {
      if (arm.units[u].cells.empty()) continue;
      VALENCE_TRY(auto json, unit_json(measure, sheet.units[u], arm.condition, arm.units[u]));
      details.push_back(std::move(json));
    }
  }
  return details;
}

}  // namespace valence
