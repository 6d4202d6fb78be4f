#include "valence/values/space_map.h"

#include <algorithm>

#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

constexpr std::string_view kSpaceMaps = "spaces/maps";

Result<LabelRule> label_rule_of(const Node& node) {
  VALENCE_TRY(const auto text, node.string_at("labels"));
  if (text == "sign_of_sum") return LabelRule::kSignOfSum;
  if (text == "any") return LabelRule::kAny;
  return tl::unexpected(node.find("labels")->error(
      fmt::format("\"labels\" should be \"sign_of_sum\" or \"any\", got \"{}\"", printable(text))));
}

Result<bool> averages_of(const Node& node) {
  const Node* scores = node.find("scores");
  if (scores == nullptr) return false;
  VALENCE_TRY(const auto text, scores->as_string());
  if (text == "mean") return true;
  return tl::unexpected(scores->error(fmt::format("\"scores\" should be \"mean\", got \"{}\"", printable(text))));
}

Result<std::size_t> place_in(const Space& space, const std::string& name, const Node& node) {
  if (const auto* dimension = space.find(name)) return dimension->index;
  std::vector<std::string> ids;
  for (const auto& dimension : space.dimensions) ids.push_back(dimension.id);
  const auto near = nearest(name, ids);
  return tl::unexpected(node.error(fmt::format("the space \"{}\" has no dimension \"{}\"{}", space.id, printable(name),
                                               near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))));
}

/// What has been said of each dimension of `from`.
class Places {
 public:
  Places(const Space& from, SpaceMap& map) : from_(from), map_(map), said_(from.dimensions.size(), false) {
    map_.places.assign(from.dimensions.size(), std::nullopt);
  }
  Result<void> put(const std::string& part, std::optional<std::size_t> place, const Node& node) {
    VALENCE_TRY(const auto index, place_in(from_, part, node));
    if (said_[index]) return tl::unexpected(node.error(fmt::format("\"{}\" stands a second time", part)));
    said_[index] = true;
    map_.places[index] = place;
    return {};
  }
  Result<void> check_whole(const Node& node) const {
    const auto missing = std::find(said_.begin(), said_.end(), false);
    if (missing == said_.end()) return {};
    const auto& id = from_.dimensions[static_cast<std::size_t>(missing - said_.begin())].id;
    return tl::unexpected(
        node.error(fmt::format("\"{}\" of {} is part of nothing; name it in \"left_out\"", id, from_.id)));
  }

 private:
  const Space& from_;
  SpaceMap& map_;
  std::vector<bool> said_;
};

Result<void> read_parts(const Node& node, const Space& from, const Space& to, SpaceMap& map) {
  VALENCE_TRY(const auto parts, node.at("parts"));
  VALENCE_TRY(const auto table, parts.as_table());
  Places places(from, map);
  for (const auto& [key, list] : table) {
    VALENCE_TRY(const auto place, place_in(to, key, list));
    VALENCE_TRY(const auto names, list.as_strings());
    if (names.empty()) return tl::unexpected(list.error(fmt::format("\"{}\" needs at least one part", key)));
    for (const auto& name : names) VALENCE_CHECK(places.put(name, place, list));
  }
  if (const Node* left_out = node.find("left_out")) {
    VALENCE_TRY(const auto names, left_out->as_strings());
    for (const auto& name : names) VALENCE_CHECK(places.put(name, std::nullopt, *left_out));
  }
  for (const auto& dimension : to.dimensions) VALENCE_CHECK(parts.at(dimension.id));
  map.size = to.dimensions.size();
  return places.check_whole(parts);
}

Result<SpaceMap> space_map_of(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "from", "to", "labels", "scores", "left_out", "source", "parts"}));
  SpaceMap map;
  VALENCE_TRY(map.id, node.string_at("id"));
  VALENCE_TRY(map.from, node.string_at("from"));
  VALENCE_TRY(map.to, node.string_at("to"));
  VALENCE_TRY(map.labels, label_rule_of(node));
  VALENCE_TRY(map.averages, averages_of(node));
  VALENCE_TRY(map.source, source_at(node, "source"));
  VALENCE_TRY(const auto from, load_space(map.from));
  VALENCE_TRY(const auto to, load_space(map.to));
  VALENCE_CHECK(read_parts(node, from, to, map));
  return map;
}

}  // namespace

Result<SpaceMap> read_space_map(const std::filesystem::path& file) {
  VALENCE_TRY(const auto node, read_toml(file));
  return space_map_of(node);
}

Result<SpaceMap> parse_space_map(std::string_view toml, std::string_view name) {
  VALENCE_TRY(const auto node, parse_toml(toml, name));
  return space_map_of(node);
}

Result<SpaceMap> load_space_map(std::string_view id) {
  VALENCE_TRY(const auto file, find_in_catalogue(kSpaceMaps, id, "map of spaces"));
  VALENCE_TRY(auto map, read_space_map(file));
  VALENCE_CHECK(check_id(map.id, file));
  return map;
}

Result<std::vector<std::string>> list_space_maps() { return list_catalogue(kSpaceMaps); }

}  // namespace valence
