#include "valence/values/space.h"

#include <algorithm>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

constexpr std::string_view kSpaces = "spaces";

Result<SpaceKind> kind_of(const Node& node) {
  VALENCE_TRY(const auto text, node.string_at("kind"));
  if (text == "vector") return SpaceKind::kVector;
  if (text == "circle") return SpaceKind::kCircle;
  if (text == "ring") return SpaceKind::kRing;
  return tl::unexpected(node.find("kind")->error(
      fmt::format("\"kind\" should be \"vector\", \"circle\" or \"ring\", got \"{}\"", text)));
}

Result<void> read_angle(const Node& node, Dimension& dimension) {
  VALENCE_TRY(const double angle, node.number_at("angle"));
  if (!(angle > -180.0 && angle <= 180.0)) {
    return tl::unexpected(node.find("angle")->error(
        fmt::format("\"angle\" should be above -180 and at most 180 degrees, got {}", angle)));
  }
  dimension.angle = angle;
  return {};
}

Result<void> read_circle_position(const Node& node, Dimension& dimension) {
  VALENCE_TRY(const auto position, node.integer_at("circle_position"));
  if (position < 1) {
    return tl::unexpected(node.find("circle_position")
                              ->error(fmt::format("\"circle_position\" should be at least 1, got {}", position)));
  }
  dimension.circle_position = static_cast<std::size_t>(position);
  return {};
}

/// Keys that place a dimension belong to the kinds that have a geometry; elsewhere they are unknown keys.
Result<void> read_place(const Node& node, SpaceKind kind, Dimension& dimension) {
  switch (kind) {
    case SpaceKind::kVector: return node.allow_only({"id", "label", "aliases", "higher_order", "opposite"});
    case SpaceKind::kCircle:
      VALENCE_CHECK(node.allow_only({"id", "label", "aliases", "higher_order", "opposite", "circle_position"}));
      return read_circle_position(node, dimension);
    case SpaceKind::kRing:
      VALENCE_CHECK(node.allow_only({"id", "label", "aliases", "higher_order", "opposite", "angle"}));
      return read_angle(node, dimension);
  }
  return {};
}

Result<Dimension> dimension_of(const Node& node, SpaceKind kind, std::size_t index) {
  Dimension dimension;
  dimension.index = index;
  VALENCE_CHECK(read_place(node, kind, dimension));
  VALENCE_TRY(dimension.id, node.string_at("id"));
  VALENCE_TRY(dimension.label, node.string_at("label"));
  VALENCE_TRY(dimension.higher_order, node.string_or("higher_order", ""));
  VALENCE_TRY(dimension.opposite, node.string_or("opposite", ""));
  if (const Node* aliases = node.find("aliases")) {
    VALENCE_TRY(dimension.aliases, aliases->as_strings());
  }
  return dimension;
}

/// A name as it is compared: "Have a stable society" and "stable_society" are the same.
std::string bare_name(std::string_view name) {
  std::string text = fold(trim(replace_all(name, "_", " ")));
  for (const auto& words : {std::initializer_list<std::string_view>{"be ", "have "}, {"a ", "an ", "the "}}) {
    for (const auto word : words) {
      if (text.starts_with(word)) {
        text.erase(0, word.size());
        break;
      }
    }
  }
  return text;
}

bool has_name(const Dimension& dimension, const std::string& bare) {
  return bare_name(dimension.id) == bare || bare_name(dimension.label) == bare ||
         std::any_of(dimension.aliases.begin(), dimension.aliases.end(),
                     [&](const std::string& alias) { return bare_name(alias) == bare; });
}

/// A name that two dimensions answer to would make label files ambiguous.
Result<void> check_names(const Space& space, const std::vector<Node>& nodes) {
  for (std::size_t d = 0; d < space.dimensions.size(); ++d) {
    auto names = space.dimensions[d].aliases;
    names.push_back(space.dimensions[d].label);
    for (const auto& name : names) {
      const auto* first = space.named(name);
      if (first == &space.dimensions[d]) continue;
      return tl::unexpected(nodes[d].error(fmt::format("\"{}\" names \"{}\" too", printable(name), first->id)));
    }
  }
  return {};
}

bool names_part_of(const Space& space, const std::string& id) {
  return std::any_of(space.dimensions.begin(), space.dimensions.end(),
                     [&](const Dimension& d) { return d.id == id || d.higher_order == id; });
}

Result<void> read_dimensions(const Node& node, Space& space) {
  VALENCE_TRY(const auto list, node.at("dimension"));
  VALENCE_TRY(const auto nodes, list.as_array());
  if (nodes.empty()) return tl::unexpected(list.error("a space needs at least one [[dimension]]"));
  for (const auto& entry : nodes) {
    VALENCE_TRY(auto dimension, dimension_of(entry, space.kind, space.dimensions.size()));
    if (space.find(dimension.id) != nullptr) {
      return tl::unexpected(entry.find("id")->error(fmt::format("a second dimension \"{}\"", dimension.id)));
    }
    space.dimensions.push_back(std::move(dimension));
  }
  VALENCE_CHECK(check_names(space, nodes));
  for (std::size_t d = 0; d < nodes.size(); ++d) {
    const auto& opposite = space.dimensions[d].opposite;
    if (opposite.empty() || names_part_of(space, opposite)) continue;
    return tl::unexpected(nodes[d].find("opposite")->error(
        fmt::format("\"opposite\" names \"{}\", which is neither a dimension nor a higher order of this space",
                    opposite)));
  }
  return {};
}

Result<Space> space_of(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "title", "kind", "coordinate", "unit", "source", "dimension"}));
  Space space;
  VALENCE_TRY(space.id, node.string_at("id"));
  VALENCE_TRY(space.title, node.string_at("title"));
  VALENCE_TRY(space.kind, kind_of(node));
  VALENCE_TRY(space.unit, node.string_or("unit", ""));
  if (space.kind == SpaceKind::kRing) {
    VALENCE_TRY(space.coordinate, node.string_at("coordinate"));
  } else if (const Node* coordinate = node.find("coordinate")) {
    return tl::unexpected(coordinate->error("\"coordinate\" belongs to spaces of kind \"ring\" only"));
  }
  VALENCE_TRY(space.source, source_at(node, "source"));
  VALENCE_CHECK(read_dimensions(node, space));
  return space;
}

}  // namespace

const Dimension* Space::find(std::string_view dimension) const {
  const auto found = std::find_if(dimensions.begin(), dimensions.end(),
                                  [&](const Dimension& d) { return d.id == dimension; });
  return found == dimensions.end() ? nullptr : &*found;
}

const Dimension* Space::named(std::string_view name) const {
  const auto bare = bare_name(name);
  const auto found = std::find_if(dimensions.begin(), dimensions.end(),
                                  [&](const Dimension& d) { return has_name(d, bare); });
  return found == dimensions.end() ? nullptr : &*found;
}

Result<Space> parse_space(std::string_view toml, std::string_view name) {
  VALENCE_TRY(const auto node, parse_toml(toml, name));
  return space_of(node);
}

Result<Space> read_space(const std::filesystem::path& file) {
  VALENCE_TRY(const auto node, read_toml(file));
  return space_of(node);
}

Result<Space> load_space(std::string_view id) {
  VALENCE_TRY(const auto file, find_in_catalogue(kSpaces, id, "value space"));
  VALENCE_TRY(auto space, read_space(file));
  VALENCE_CHECK(check_id(space.id, file));
  return space;
}

Result<std::vector<std::string>> list_spaces() { return list_catalogue(kSpaces); }

}  // namespace valence
