#include "valence/evaluate/definitions.h"

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/values/space.h"

namespace valence {
namespace {

Result<std::vector<std::string>> sentences_at(const Node& value, std::string_view key) {
  VALENCE_TRY(const auto member, value.at(key));
  VALENCE_TRY(auto sentences, member.as_strings());
  if (sentences.empty()) return tl::unexpected(member.error("should name at least one sentence"));
  return sentences;
}

Result<ValueDefinition> definition_of(const Node& value, std::string_view expected) {
  VALENCE_CHECK(value.allow_only({"id", "definition", "upholds", "opposes"}));
  ValueDefinition one;
  VALENCE_TRY(const auto id, value.at("id"));
  VALENCE_TRY(one.id, id.as_string());
  if (one.id != expected)
    return tl::unexpected(id.error(fmt::format("should be \"{}\": values stand in the space's order", expected)));
  VALENCE_TRY(one.definition, value.string_at("definition"));
  VALENCE_TRY(one.upholds, sentences_at(value, "upholds"));
  VALENCE_TRY(one.opposes, sentences_at(value, "opposes"));
  return one;
}

Result<ValueDefinitions> definitions_of(const Node& document) {
  VALENCE_CHECK(document.allow_only({"space", "source", "value"}));
  ValueDefinitions all;
  VALENCE_TRY(all.space, document.string_at("space"));
  VALENCE_TRY(const auto space, load_space(all.space));
  VALENCE_TRY(const auto list, document.at("value"));
  VALENCE_TRY(const auto values, list.as_array());
  if (values.size() != space.dimensions.size()) {
    return tl::unexpected(list.error(fmt::format("\"value\" should have {} entries, one per value of {}, got {}",
                                                 space.dimensions.size(), space.id, values.size())));
  }
  for (std::size_t d = 0; d < values.size(); ++d) {
    VALENCE_TRY(auto one, definition_of(values[d], space.dimensions[d].id));
    all.values.push_back(std::move(one));
  }
  return all;
}

}  // namespace

Digest ValueDefinitions::digest() const {
  Hasher hasher;
  hasher.add(space);
  for (const auto& value : values) {
    hasher.add(value.id).add(value.definition).add(std::uint64_t{value.upholds.size()});
    for (const auto* list : {&value.upholds, &value.opposes}) {
      for (const auto& sentence : *list) hasher.add(sentence);
    }
  }
  return hasher.finish();
}

Result<ValueDefinitions> parse_definitions(std::string_view toml, std::string_view name) {
  VALENCE_TRY(const auto document, parse_toml(toml, name));
  return definitions_of(document);
}

Result<ValueDefinitions> read_definitions(const std::filesystem::path& path) {
  VALENCE_TRY(const auto document, read_toml(path));
  return definitions_of(document);
}

Result<ValueDefinitions> load_definitions(std::string_view space) {
  VALENCE_TRY(const auto data, data_folder());
  const auto path = data / "evaluate" / "definitions" / fmt::format("{}.toml", space);
  if (!std::filesystem::exists(path)) {
    return fail(ErrorCode::kNotFound, "nothing says what the values of {} mean: features \"definitions\" need {}",
                space, path.string());
  }
  return read_definitions(path);
}

}  // namespace valence
