#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/instruments/questionnaire.h"
#include "valence/values/catalogue.h"
#include "valence/values/space.h"

namespace valence {
namespace {

constexpr std::size_t kLeastWordings = 5;

Result<void> read_scale(const Node& toml, Questionnaire& questionnaire) {
  VALENCE_TRY(const auto scale, toml.at("scale"));
  VALENCE_CHECK(scale.allow_only({"from", "to", "direction", "labels"}));
  VALENCE_TRY(const auto from, scale.integer_at("from"));
  VALENCE_TRY(const auto to, scale.integer_at("to"));
  VALENCE_TRY(questionnaire.direction, scale.string_at("direction"));
  VALENCE_TRY(const auto labels, scale.at("labels"));
  VALENCE_TRY(questionnaire.labels, labels.as_strings());
  if (from >= to || to - from > 8) return tl::unexpected(scale.error("\"from\" and \"to\" should span 2 to 9 answers"));
  questionnaire.from = static_cast<int>(from);
  questionnaire.to = static_cast<int>(to);
  const auto answers = static_cast<std::size_t>(to - from + 1);
  if (questionnaire.labels.size() != answers) {
    return tl::unexpected(labels.error(fmt::format("{} answers need {} labels, got {}", answers, answers, questionnaire.labels.size())));
  }
  return {};
}

Result<void> read_items(const Node& toml, Questionnaire& questionnaire) {
  VALENCE_TRY(const auto node, toml.at("item"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::set<std::string> seen;
  for (const auto& entry : entries) {
    VALENCE_CHECK(entry.allow_only({"number", "text", "dimension", "reversed"}));
    QuestionnaireItem item;
    VALENCE_TRY(const auto number, entry.integer_at("number"));
    item.id = std::to_string(number);
    VALENCE_TRY(item.text, entry.string_at("text"));
    VALENCE_TRY(item.dimension, entry.string_at("dimension"));
    VALENCE_TRY(item.reversed, entry.bool_or("reversed", false));
    if (!seen.insert(item.id).second) return tl::unexpected(entry.error(fmt::format("item number {} stands twice", item.id)));
    questionnaire.items.push_back(std::move(item));
  }
  if (questionnaire.items.empty()) return tl::unexpected(toml.error("a questionnaire needs at least one [[item]]"));
  return {};
}

Result<void> check_dimensions(const Node& toml, const Questionnaire& questionnaire) {
  VALENCE_TRY(const auto space, load_space(questionnaire.space));
  for (const auto& item : questionnaire.items) {
    if (space.find(item.dimension) != nullptr) continue;
    std::vector<std::string> known;
    for (const auto& dimension : space.dimensions) known.push_back(dimension.id);
    const auto near = nearest(item.dimension, known);
    return tl::unexpected(toml.error(fmt::format("item {}: the space \"{}\" has no dimension \"{}\"{}", item.id, questionnaire.space,
                                                 item.dimension, near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))));
  }
  return {};
}

Result<std::vector<QuestionnaireWording>> read_wordings(const std::filesystem::path& file) {
  VALENCE_TRY(const auto toml, read_toml(file));
  VALENCE_TRY(const auto node, toml.at("wording"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::vector<QuestionnaireWording> wordings;
  for (const auto& entry : entries) {
    QuestionnaireWording wording;
    VALENCE_TRY(wording.id, entry.string_at("id"));
    VALENCE_TRY(wording.letter, entry.string_at("letter"));
    VALENCE_TRY(wording.text, entry.string_at("text"));
    wordings.push_back(std::move(wording));
  }
  if (wordings.size() < kLeastWordings) {
    return tl::unexpected(node.error(fmt::format("at least {} parallel wordings are needed, got {}", kLeastWordings, wordings.size())));
  }
  return wordings;
}

}  // namespace

std::vector<std::string> Questionnaire::dimensions() const {
  std::vector<std::string> all;
  for (const auto& item : items) {
    if (std::find(all.begin(), all.end(), item.dimension) == all.end()) all.push_back(item.dimension);
  }
  return all;
}

Result<Questionnaire> read_questionnaire(const std::filesystem::path& file) {
  VALENCE_TRY(const auto toml, read_toml(file));
  VALENCE_CHECK(toml.allow_only({"id", "title", "space", "language", "centre", "source", "prompts", "scale", "item"}));
  Questionnaire questionnaire;
  VALENCE_TRY(questionnaire.id, toml.string_at("id"));
  VALENCE_TRY(questionnaire.title, toml.string_at("title"));
  VALENCE_TRY(questionnaire.space, toml.string_at("space"));
  VALENCE_TRY(questionnaire.language, toml.string_or("language", "en"));
  VALENCE_TRY(questionnaire.centre, toml.bool_or("centre", false));
  VALENCE_TRY(questionnaire.source, source_at(toml, "source"));
  VALENCE_CHECK(read_scale(toml, questionnaire));
  VALENCE_CHECK(read_items(toml, questionnaire));
  VALENCE_CHECK(check_dimensions(toml, questionnaire));
  VALENCE_TRY(const auto prompts, toml.string_at("prompts"));
  VALENCE_TRY(questionnaire.wordings, read_wordings(file.parent_path() / prompts));
  return questionnaire;
}

Result<Questionnaire> load_questionnaire(const std::string& name_or_path) {
  if (name_or_path.ends_with(".toml")) return read_questionnaire(name_or_path);
  VALENCE_TRY(const auto data, data_folder());
  const auto root = data / "questionnaires";
  const auto file = root / name_or_path / "questionnaire.toml";
  if (std::filesystem::exists(file)) return read_questionnaire(file);
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(root, none)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  const auto near = nearest(name_or_path, names);
  return fail(ErrorCode::kUsage, "unknown questionnaire \"{}\"{} Known: {}; or give the path of a questionnaire.toml", name_or_path,
              near.empty() ? "." : fmt::format("; did you mean \"{}\"?", near), join(names, ", "));
}

ItemHalves questionnaire_halves(const Questionnaire& questionnaire) {
  std::map<std::string, std::set<std::pair<std::string, std::string>>> by_dimension;  // hash of the text, id
  for (const auto& item : questionnaire.items) by_dimension[item.dimension].emplace(sha256(item.text).hex(), item.id);
  ItemHalves halves;
  bool training = true;  // carried on, so that odd numbers even out
  for (const auto& [dimension, items] : by_dimension) {
    for (const auto& [hash, id] : items) {
      (training ? halves.training : halves.held_out).insert(id);
      training = !training;
    }
  }
  return halves;
}

std::vector<double> questionnaire_scores(const Questionnaire& questionnaire, std::span<const double> answers, bool centre) {
  const auto dimensions = questionnaire.dimensions();
  std::vector<double> sums(dimensions.size(), 0.0), counts(dimensions.size(), 0.0);
  double total = 0.0, answered = 0.0;
  for (std::size_t i = 0; i < questionnaire.items.size(); ++i) {
    if (std::isnan(answers[i])) continue;
    const auto& item = questionnaire.items[i];
    const auto place = static_cast<std::size_t>(std::find(dimensions.begin(), dimensions.end(), item.dimension) - dimensions.begin());
    sums[place] += item.reversed ? questionnaire.from + questionnaire.to - answers[i] : answers[i];
    counts[place] += 1.0;
    total += answers[i];
    answered += 1.0;
  }
  std::vector<double> scores;
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    const double mean = counts[d] > 0.0 ? sums[d] / counts[d] : std::numeric_limits<double>::quiet_NaN();
    scores.push_back(centre ? mean - total / answered : mean);
  }
  return scores;
}

}  // namespace valence
