#include "valence/values/target.h"

#include <algorithm>
#include <iterator>

#include "catalogue.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

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

Result<void> check_keys(const Node& values, const Space& space) {
  VALENCE_TRY(const auto members, values.as_table());
  for (const auto& [key, member] : members) {
    if (space.find(key) != nullptr) continue;
    const auto ids = dimension_ids(space);
    const auto near = nearest(key, ids);
    const auto advice = near.empty() ? "expected one of " + join(ids, ", ") : "did you mean \"" + near + "\"?";
    return tl::unexpected(member.error(
        fmt::format("the space \"{}\" has no dimension \"{}\"; {}", space.id, printable(key), advice)));
  }
  return {};
}

Result<void> read_values(const Node& node, const Space& space, Target& target) {
  VALENCE_TRY(const auto values, node.at("values"));
  VALENCE_CHECK(check_keys(values, space));
  for (const auto& dimension : space.dimensions) {
    VALENCE_TRY(const double value, values.number_at(dimension.id));
    target.values.emplace_back(dimension.id, value);
  }
  return {};
}

Result<void> check_space(const Node& node, const std::string& named, const Space& space) {
  if (named == space.id) return {};
  return tl::unexpected(
      node.find("space")->error(fmt::format("this target lives in \"{}\", not in \"{}\"", named, space.id)));
}

Result<Target> target_of(const Node& node, const Space& space) {
  VALENCE_CHECK(node.allow_only({"id", "space", "label", "instrument", "reachable", "provenance", "values"}));
  Target target;
  VALENCE_TRY(target.id, node.string_at("id"));
  VALENCE_TRY(target.space, node.string_at("space"));
  VALENCE_CHECK(check_space(node, target.space, space));
  VALENCE_TRY(target.label, node.string_at("label"));
  VALENCE_TRY(target.instrument, node.string_or("instrument", ""));
  VALENCE_TRY(target.reachable, band_of(node));
  VALENCE_TRY(target.provenance, source_at(node, "provenance"));
  VALENCE_CHECK(read_values(node, space, target));
  return target;
}

}  // namespace

std::optional<double> Target::value(std::string_view dimension) const {
  for (const auto& [name, number] : values) {
    if (name == dimension) return number;
  }
  return std::nullopt;
}

Result<Target> parse_target(std::string_view toml, std::string_view name, const Space& space) {
  VALENCE_TRY(const auto node, parse_toml(toml, name));
  return target_of(node, space);
}

Result<Target> load_target(std::string_view id) {
  VALENCE_TRY(const auto file, find_in_catalogue(kTargets, id, "target"));
  VALENCE_TRY(const auto node, read_toml(file));
  VALENCE_TRY(const auto space_id, node.string_at("space"));
  auto space = load_space(space_id);
  if (!space) return tl::unexpected(with_context(std::move(space).error(), to_string(node.find("space")->position())));
  VALENCE_TRY(auto target, target_of(node, *space));
  VALENCE_CHECK(check_id(target.id, file));
  return target;
}

Result<std::vector<std::string>> list_targets(std::string_view space) {
  VALENCE_TRY(const auto names, list_catalogue(kTargets));
  std::vector<std::string> living;
  for (const auto& name : names) {
    VALENCE_TRY(const auto target, load_target(name));
    if (space.empty() || target.space == space) living.push_back(name);
  }
  return living;
}

}  // namespace valence
