#include "valence/values/target.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "target_catalogue.h"
#include "target_checks.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/values/catalogue.h"
#include "valence/values/opinions.h"

namespace valence {
namespace {

constexpr std::string_view kTargets = "targets";

Result<std::optional<Band>> band_of(const Node& node) {
  const Node* table = node.find("reachable");
  if (table == nullptr) return std::nullopt;
  VALENCE_CHECK(table->allow_only({"low", "high"}));
  VALENCE_TRY(const double low, table->number_at("low"));
  VALENCE_TRY(const double high, table->number_at("high"));
  if (!(low < high)) {
    return tl::unexpected(
        table->error(fmt::format("\"reachable\" should have low below high, got low {} and high {}", low, high)));
  }
  return Band{low, high};
}

std::vector<std::string> dimension_ids(const Space& space) {
  std::vector<std::string> ids;
  std::transform(space.dimensions.begin(), space.dimensions.end(), std::back_inserter(ids),
                 [](const Dimension& d) { return d.id; });
  return ids;
}

std::string unknown_dimension(const std::string& name, const Space& space) {
  const auto ids = dimension_ids(space);
  const auto near = nearest(name, ids);
  const auto advice = near.empty() ? "expected one of " + join(ids, ", ") : "did you mean \"" + near + "\"?";
  return fmt::format("the space \"{}\" has no dimension \"{}\"; {}", space.id, printable(name), advice);
}

Result<std::vector<std::string>> left_out(const Node& node, const Space& space) {
  const Node* list = node.find("leave_out");
  if (list == nullptr) return std::vector<std::string>{};
  VALENCE_TRY(auto names, list->as_strings());
  for (const auto& name : names) {
    if (space.find(name) == nullptr) return tl::unexpected(list->error(unknown_dimension(name, space)));
  }
  return names;
}

/// A dimension is given or left out, in so many words: one that is only forgotten is an error.
Result<void> read_values(const Node& node, const Space& space, Target& target) {
  VALENCE_TRY(const auto values, node.at("values"));
  VALENCE_CHECK(check_keys(values, space));
  VALENCE_TRY(const auto without, left_out(node, space));
  for (const auto& dimension : space.dimensions) {
    if (std::find(without.begin(), without.end(), dimension.id) == without.end()) {
      VALENCE_TRY(const double value, values.number_at(dimension.id));
      target.values.emplace_back(dimension.id, value);
    } else if (const Node* both = values.find(dimension.id)) {
      return tl::unexpected(both->error(fmt::format("\"{}\" has a value and stands in \"leave_out\"", dimension.id)));
    } else {
      target.values.emplace_back(dimension.id, kLeftOut);
    }
  }
  return {};
}

Result<void> read_weights(const Node& node, const Space& space, Target& target) {
  const Node* table = node.find("weights");
  if (table == nullptr) return {};
  VALENCE_CHECK(check_keys(*table, space));
  for (const auto& [dimension, value] : target.values) {
    VALENCE_TRY(const double weight, table->number_or(dimension, std::isnan(value) ? 0.0 : 1.0));
    if (weight < 0.0 || (weight > 0.0 && std::isnan(value))) {
      return tl::unexpected(table->find(dimension)->error(
          weight < 0.0 ? fmt::format("the weight of \"{}\" should be at least 0, got {}", dimension, weight)
                       : fmt::format("\"{}\" is left out of the target and cannot have a weight", dimension)));
    }
    target.weights.push_back(weight);
  }
  return {};
}

Result<SampleInterval> interval_of(const Node& node) {
  VALENCE_CHECK(node.allow_only({"low", "high", "count"}));
  VALENCE_TRY(const double low, node.number_at("low"));
  VALENCE_TRY(const double high, node.number_at("high"));
  VALENCE_TRY(const auto count, node.integer_at("count"));
  if (low > high)
    return tl::unexpected(
        node.error(fmt::format("an interval should have low at most high, got {} and {}", low, high)));
  if (count < 1) return tl::unexpected(node.error(fmt::format("\"count\" should be at least 1, got {}", count)));
  return SampleInterval{low, high, static_cast<std::size_t>(count)};
}

Result<void> read_intervals(const Node& node, const Space& space, Target& target) {
  const Node* table = node.find("intervals");
  if (table == nullptr) return {};
  VALENCE_CHECK(check_keys(*table, space));
  for (const auto& [dimension, value] : target.values) {
    const Node* entry = table->find(dimension);
    SampleInterval interval{kLeftOut, kLeftOut, 0};
    if (entry != nullptr) {
      VALENCE_TRY(interval, interval_of(*entry));
      if (!(value >= interval.low && value <= interval.high)) {
        return tl::unexpected(entry->error(fmt::format("the interval of \"{}\" does not hold its value", dimension)));
      }
    }
    target.intervals.push_back(interval);
  }
  return {};
}

Result<void> read_spread(const Node& node, const Space& space, Target& target) {
  const Node* table = node.find("spread");
  if (table == nullptr) return {};
  VALENCE_CHECK(check_keys(*table, space));
  for (const auto& [dimension, value] : target.values) {
    VALENCE_TRY(const double spread, table->number_or(dimension, kLeftOut));
    if (spread < 0.0)
      return tl::unexpected(table->find(dimension)->error(
          fmt::format("the spread of \"{}\" should be at least 0, got {}", dimension, spread)));
    target.spreads.push_back(spread);
  }
  return {};
}

Result<void> read_answers(const Node& node, Target& target) {
  const Node* table = node.find("answers");
  if (table == nullptr) return {};
  VALENCE_CHECK(table->allow_only({"questionnaire", "items"}));
  OwnAnswers answers;
  VALENCE_TRY(answers.questionnaire, table->string_at("questionnaire"));
  VALENCE_TRY(const auto list, table->at("items"));
  VALENCE_TRY(const auto items, list.as_table());
  for (const auto& [item, answer] : items) {
    VALENCE_TRY(const double given, answer.as_number());
    answers.items.emplace_back(item, given);
  }
  target.answers = std::move(answers);
  return {};
}

Result<void> check_space(const Node& node, const std::string& named, const Space& space) {
  if (named == space.id) return {};
  return tl::unexpected(
      node.find("space")->error(fmt::format("this target lives in \"{}\", not in \"{}\"", named, space.id)));
}

/// A space of scores needs the convention said; a ring has none.
Result<ScoreScale> scale_of(const Node& node, const Space& space) {
  const Node* scale = node.find("scale");
  if (space.kind == SpaceKind::kRing) {
    if (scale == nullptr) return ScoreScale::kNone;
    return tl::unexpected(scale->error("\"scale\" belongs to spaces of scores; a ring holds angles"));
  }
  VALENCE_TRY(const auto text, node.string_at("scale"));
  const auto known = score_scale_from(text);
  if (!known) return tl::unexpected(scale->error(known.error().message));
  return *known;
}

Result<void> read_sample(const Node& node, Target& target) {
  VALENCE_TRY(const auto respondents, node.integer_or("respondents", 0));
  if (respondents < 0)
    return tl::unexpected(
        node.find("respondents")->error(fmt::format("\"respondents\" should be at least 0, got {}", respondents)));
  target.respondents = static_cast<std::size_t>(respondents);
  const Node* mean = node.find("mean_rating");
  if (mean == nullptr) return {};
  if (target.scale != ScoreScale::kRaw) return tl::unexpected(mean->error("\"mean_rating\" belongs to raw scores"));
  VALENCE_TRY(target.mean_rating, mean->as_number());
  return {};
}

Result<Target> target_of(const Node& node, const Space& space) {
  VALENCE_CHECK(
      node.allow_only({"id", "space", "label", "scale", "instrument", "reachable", "respondents", "mean_rating",
                       "leave_out", "provenance", "values", "weights", "intervals", "spread", "answers"}));
  Target target;
  VALENCE_TRY(target.id, node.string_at("id"));
  VALENCE_TRY(target.space, node.string_at("space"));
  VALENCE_CHECK(check_space(node, target.space, space));
  VALENCE_TRY(target.label, node.string_at("label"));
  VALENCE_TRY(target.instrument, node.string_or("instrument", ""));
  VALENCE_TRY(target.reachable, band_of(node));
  VALENCE_TRY(target.provenance, source_at(node, "provenance"));
  VALENCE_TRY(target.scale, scale_of(node, space));
  VALENCE_CHECK(read_sample(node, target));
  VALENCE_CHECK(read_values(node, space, target));
  VALENCE_CHECK(read_weights(node, space, target));
  VALENCE_CHECK(read_intervals(node, space, target));
  VALENCE_CHECK(read_spread(node, space, target));
  VALENCE_CHECK(read_answers(node, target));
  auto sound = check_values(target);
  if (!sound) return tl::unexpected(node.find("values")->error(sound.error().message));
  return target;
}

Result<Target> row_of_catalogues(std::string_view id) {
  VALENCE_TRY(auto targets, load_target_catalogues());
  for (auto& target : targets) {
    if (target.id == id) return std::move(target);
  }
  VALENCE_TRY(const auto names, list_targets());
  const auto near = nearest(id, names);
  const auto advice = near.empty() ? "there are: " + join(names, ", ") : "did you mean \"" + near + "\"?";
  return fail(ErrorCode::kNotFound, "unknown target \"{}\"; {}", printable(id), advice);
}

}  // namespace

Result<void> check_keys(const Node& values, const Space& space) {
  VALENCE_TRY(const auto members, values.as_table());
  for (const auto& [key, member] : members) {
    if (space.find(key) == nullptr) return tl::unexpected(member.error(unknown_dimension(key, space)));
  }
  return {};
}

Result<void> check_values(const Target& target) {
  bool any = false;
  for (const auto& [dimension, value] : target.values) {
    any = any || !std::isnan(value);
    if (std::isinf(value)) return fail(ErrorCode::kUsage, "the value of \"{}\" should be finite", dimension);
    if (target.scale == ScoreScale::kUnit && std::abs(value) > 1.0) {
      return fail(ErrorCode::kUsage, "the value of \"{}\" should be within [-1, 1] on the unit scale, got {}",
                  dimension, value);
    }
  }
  if (!any) return fail(ErrorCode::kUsage, "a target needs a value on at least one dimension");
  return {};
}

std::optional<double> Target::value(std::string_view dimension) const {
  for (const auto& [name, number] : values) {
    if (name == dimension) return number;
  }
  return std::nullopt;
}

Result<Target> narrowed(Target target, std::span<const std::string> dimensions) {
  if (target.opinions && !dimensions.empty())
    return fail(ErrorCode::kUsage, "target {} holds answer distributions and has no dimensions; name none of them",
                target.id);
  std::vector<std::string> there;
  for (const auto& [dimension, value] : target.values) {
    if (!std::isnan(value)) there.push_back(dimension);
  }
  for (const auto& dimension : dimensions) {
    if (std::find(there.begin(), there.end(), dimension) != there.end()) continue;
    const auto near = nearest(dimension, there);
    return fail(ErrorCode::kUsage, "target {} has no value for \"{}\"; {}", target.id, printable(dimension),
                near.empty() ? "it has " + join(there, ", ") : "did you mean \"" + near + "\"?");
  }
  for (std::size_t i = 0; i < target.values.size() && !dimensions.empty(); ++i) {
    auto& [dimension, value] = target.values[i];
    if (std::find(dimensions.begin(), dimensions.end(), dimension) != dimensions.end()) continue;
    value = std::numeric_limits<double>::quiet_NaN();
    if (!target.weights.empty()) target.weights[i] = 0.0;
  }
  if (!dimensions.empty()) target.label += fmt::format(" ({})", fmt::join(dimensions, ", "));
  return target;
}

double Target::weight(std::size_t place) const {
  if (std::isnan(values[place].second)) return 0.0;
  return weights.empty() ? 1.0 : weights[place];
}

Result<Target> parse_target(std::string_view toml, std::string_view name, const Space& space) {
  VALENCE_TRY(const auto node, parse_toml(toml, name));
  return target_of(node, space);
}

Result<Target> read_target(const std::filesystem::path& file) {
  VALENCE_TRY(const auto node, read_toml(file));
  VALENCE_TRY(const auto space_id, node.string_at("space"));
  auto space = load_space(space_id);
  if (!space) return tl::unexpected(with_context(std::move(space).error(), to_string(node.find("space")->position())));
  return target_of(node, *space);
}

Result<Target> load_target(std::string_view id) {
  if (names_opinions(id))
    return fail(ErrorCode::kUsage,
                "{}: a .json file holds answer distributions, and a target of scores is wanted here (valence target "
                "list); gap, compare and align choice opinions take answer distributions",
                printable(id));
  if (id.ends_with(".toml")) return read_target(std::filesystem::path(id));
  VALENCE_TRY(const auto files, list_catalogue(kTargets));
  if (std::find(files.begin(), files.end(), id) == files.end()) return row_of_catalogues(id);
  VALENCE_TRY(const auto file, find_in_catalogue(kTargets, id, "target"));
  VALENCE_TRY(auto target, read_target(file));
  VALENCE_CHECK(check_id(target.id, file));
  return target;
}

Result<std::vector<std::string>> list_targets(std::string_view space) {
  VALENCE_TRY(const auto files, list_catalogue(kTargets));
  VALENCE_TRY(auto targets, load_target_catalogues());
  for (const auto& name : files) {
    VALENCE_TRY(auto target, load_target(name));
    targets.push_back(std::move(target));
  }
  std::vector<std::string> living;
  for (const auto& target : targets) {
    if (space.empty() || target.space == space) living.push_back(target.id);
  }
  std::sort(living.begin(), living.end());
  return living;
}

}  // namespace valence
