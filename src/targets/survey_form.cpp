#include "valence/targets/survey_form.h"

#include <algorithm>
#include <set>

#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/instruments/questionnaire.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

constexpr std::string_view kSurveys = "surveys";

Result<void> read_scale(const Node& node, SurveyForm& form) {
  VALENCE_TRY(const auto scale, node.at("scale"));
  VALENCE_CHECK(scale.allow_only({"low", "high", "most_like_me"}));
  VALENCE_TRY(const auto low, scale.integer_at("low"));
  VALENCE_TRY(const auto high, scale.integer_at("high"));
  VALENCE_TRY(const auto most, scale.integer_at("most_like_me"));
  if (low < 0 || low >= high || high > 100) {
    return tl::unexpected(
        scale.error(fmt::format("\"low\" should be below \"high\", both within 0 and 100, got {} and {}", low, high)));
  }
  if (most != low && most != high) {
    return tl::unexpected(
        scale.error(fmt::format("\"most_like_me\" should be an end of the scale, {} or {}, got {}", low, high, most)));
  }
  form.low = static_cast<int>(low);
  form.high = static_cast<int>(high);
  form.most_like_me = static_cast<int>(most);
  return {};
}

Result<void> read_items(const Node& node, SurveyForm& form) {
  VALENCE_TRY(const auto items, node.at("items"));
  VALENCE_TRY(const auto table, items.as_table());
  VALENCE_TRY(const auto space, load_space(form.space));
  for (const auto& [column, value] : table) {
    VALENCE_TRY(const auto dimension, value.as_string());
    if (space.find(dimension) == nullptr) {
      return tl::unexpected(
          value.error(fmt::format("the space \"{}\" has no dimension \"{}\"", space.id, printable(dimension))));
    }
    form.items.push_back({column, dimension, false, ""});
  }
  for (const auto& dimension : space.dimensions) {
    const bool has = std::any_of(form.items.begin(), form.items.end(),
                                 [&](const auto& item) { return item.dimension == dimension.id; });
    if (!has) return tl::unexpected(items.error(fmt::format("no item is of \"{}\"", dimension.id)));
  }
  return {};
}

/// Items, key and scale of a questionnaire, whose answers stand for agreement: its highest is "very much like me".
Result<void> read_questionnaire_items(const Node& node, SurveyForm& form) {
  VALENCE_TRY(const auto questionnaire, load_questionnaire(form.questionnaire));
  VALENCE_TRY(const auto pattern, node.string_at("columns"));
  form.space = questionnaire.space;
  form.low = questionnaire.from;
  form.high = questionnaire.to;
  form.most_like_me = questionnaire.to;
  for (const auto& item : questionnaire.items) {
    auto column = fill(pattern, {{"number", item.id}});
    if (!column) return tl::unexpected(node.find("columns")->error(column.error().message));
    form.items.push_back({*column, item.dimension, item.reversed, item.id});
  }
  return {};
}

Result<void> read_rules(const Node& node, SurveyForm& form) {
  VALENCE_TRY(const auto rules, node.at("rules"));
  VALENCE_CHECK(rules.allow_only({"most_missing", "most_identical"}));
  VALENCE_TRY(form.most_missing, rules.count_at("most_missing"));
  VALENCE_TRY(form.most_identical, rules.count_at("most_identical"));
  if (form.most_missing < form.items.size()) return {};
  return tl::unexpected(
      rules.error(fmt::format("\"most_missing\" should be below the number of items, {}", form.items.size())));
}

Result<void> read_missing(const Node& node, SurveyForm& form) {
  VALENCE_TRY(const auto list, node.at("missing"));
  VALENCE_TRY(const auto codes, list.as_array());
  for (const auto& entry : codes) {
    VALENCE_TRY(const auto code, entry.as_integer());
    if (code >= form.low && code <= form.high) {
      return tl::unexpected(entry.error(fmt::format("{} is an answer and cannot mean that there is none", code)));
    }
    form.missing.push_back(static_cast<int>(code));
  }
  return {};
}

Result<void> read_weights(const Node& node, SurveyForm& form) {
  const Node* weights = node.find("weights");
  if (weights == nullptr) return {};
  VALENCE_TRY(const auto sets, weights->as_array());
  for (const auto& set : sets) {
    VALENCE_TRY(auto columns, set.as_strings());
    form.weights.push_back(std::move(columns));
  }
  return {};
}

Result<void> read_unknown(const Node& node, SurveyForm& form) {
  const Node* unknown = node.find("unknown");
  if (unknown == nullptr) return {};
  VALENCE_TRY(const auto table, unknown->as_table());
  for (const auto& [column, list] : table) {
    VALENCE_TRY(const auto codes, list.as_array());
    for (const auto& entry : codes) {
      VALENCE_TRY(const auto code, entry.as_integer());
      form.unknown[column].push_back(std::to_string(code));
    }
  }
  return {};
}

Result<void> read_direction(const Node& node, SurveyForm& form) {
  const Node* direction = node.find("direction");
  if (direction == nullptr) return {};
  VALENCE_CHECK(direction->allow_only({"order", "fewest", "refused"}));
  VALENCE_TRY(const auto order, direction->at("order"));
  VALENCE_TRY(form.order, order.as_strings());
  VALENCE_TRY(form.order_fewest, direction->count_at("fewest"));
  VALENCE_TRY(form.order_refused, direction->number_at("refused"));
  VALENCE_TRY(const auto space, load_space(form.space));
  const std::set<std::string> distinct(form.order.begin(), form.order.end());
  const bool all = std::all_of(space.dimensions.begin(), space.dimensions.end(),
                               [&](const auto& d) { return distinct.contains(d.id); });
  if (all && form.order.size() == space.dimensions.size()) return {};
  return tl::unexpected(order.error(fmt::format("\"order\" should name every dimension of {} once", space.id)));
}

Result<SurveyForm> survey_form_of(const Node& node) {
  SurveyForm form;
  VALENCE_TRY(form.questionnaire, node.string_or("questionnaire", ""));
  const bool keyed = !form.questionnaire.empty();
  VALENCE_CHECK(keyed ? node.allow_only({"id", "title", "questionnaire", "columns", "missing", "rules", "suffixes",
                                         "weights", "direction", "source", "unknown"})
                      : node.allow_only({"id", "title", "space", "scale", "missing", "rules", "suffixes", "weights",
                                         "direction", "source", "unknown", "items"}));
  VALENCE_TRY(form.id, node.string_at("id"));
  VALENCE_TRY(form.title, node.string_at("title"));
  if (keyed) {
    VALENCE_CHECK(read_questionnaire_items(node, form));
  } else {
    VALENCE_TRY(form.space, node.string_at("space"));
    VALENCE_CHECK(read_scale(node, form));
    VALENCE_CHECK(read_items(node, form));
  }
  VALENCE_CHECK(read_rules(node, form));
  VALENCE_CHECK(read_missing(node, form));
  VALENCE_CHECK(read_weights(node, form));
  VALENCE_CHECK(read_unknown(node, form));
  VALENCE_CHECK(read_direction(node, form));
  VALENCE_TRY(form.source, source_at(node, "source"));
  form.suffixes = {""};
  if (const Node* suffixes = node.find("suffixes")) {
    VALENCE_TRY(form.suffixes, suffixes->as_strings());
    if (form.suffixes.empty()) return tl::unexpected(suffixes->error("\"suffixes\" needs at least one; \"\" is none"));
  }
  return form;
}

}  // namespace

Result<SurveyForm> read_survey_form(const std::filesystem::path& file) {
  VALENCE_TRY(const auto node, read_toml(file));
  return survey_form_of(node);
}

Result<SurveyForm> parse_survey_form(std::string_view toml, std::string_view name) {
  VALENCE_TRY(const auto node, parse_toml(toml, name));
  return survey_form_of(node);
}

Result<std::vector<std::string>> list_survey_forms() { return list_catalogue(kSurveys); }

Result<SurveyForm> load_survey_form(std::string_view id) {
  if (id.ends_with(".toml")) return read_survey_form(std::filesystem::path(id));
  VALENCE_TRY(const auto file, find_in_catalogue(kSurveys, id, "survey form"));
  return read_survey_form(file);
}

}  // namespace valence
