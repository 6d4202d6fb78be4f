#include <algorithm>
#include <map>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/evaluate/judge.h"

namespace valence {
namespace {

Result<std::array<std::string, kLabelClasses>> three(const Node& file, std::string_view key) {
  VALENCE_TRY(const auto node, file.at(key));
  VALENCE_TRY(const auto texts, node.as_strings());
  if (texts.size() != kLabelClasses) {
    return tl::unexpected(
        node.error(fmt::format("\"{}\" needs three texts (opposed, unrelated, upheld), got {}", key, texts.size())));
  }
  return std::array{texts[0], texts[1], texts[2]};
}

Result<JudgeFraming::Unit> unit_of(const Node& framing) {
  VALENCE_TRY(const auto name, framing.string_at("unit"));
  if (name == "space") return JudgeFraming::Unit::kSpace;
  if (name == "group") return JudgeFraming::Unit::kGroup;
  if (name == "value") return JudgeFraming::Unit::kValue;
  return tl::unexpected(framing.find("unit")->error(
      fmt::format("\"unit\" should be space, group or value, got \"{}\"", printable(name))));
}

Result<void> require_slots(const Node& framing, std::string_view key, const std::string& text,
                           std::initializer_list<std::string_view> slots) {
  for (const auto slot : slots) {
    if (text.find(slot) == std::string::npos)
      return tl::unexpected(framing.find(key)->error(fmt::format("\"{}\" needs {}", key, slot)));
  }
  return {};
}

Result<JudgeFraming> framing_of(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "unit", "reasoning", "system", "text", "choice"}));
  JudgeFraming framing;
  VALENCE_TRY(framing.id, node.string_at("id"));
  VALENCE_TRY(framing.unit, unit_of(node));
  VALENCE_TRY(framing.reasoning, node.bool_or("reasoning", false));
  VALENCE_TRY(framing.system, node.string_or("system", ""));
  VALENCE_TRY(framing.text, node.string_at("text"));
  VALENCE_TRY(framing.choice, node.string_or("choice", ""));
  VALENCE_CHECK(require_slots(node, "text", framing.text, {"{conversation}", "{values}", "{labels}", "{form}"}));
  if (framing.choice.empty()) return framing;
  VALENCE_CHECK(require_slots(node, "choice", framing.choice, {"{conversation}", "{values}", "{options}", "{labels}"}));
  if (framing.unit == JudgeFraming::Unit::kValue) return framing;
  return tl::unexpected(node.find("choice")->error("a choice has one value at a time: unit = \"value\""));
}

Result<std::vector<JudgeFraming>> framings_of(const Node& file) {
  VALENCE_TRY(const auto node, file.at("framing"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::vector<JudgeFraming> framings;
  for (const auto& entry : entries) {
    VALENCE_TRY(auto framing, framing_of(entry));
    framings.push_back(std::move(framing));
  }
  if (framings.empty()) return tl::unexpected(node.error("at least one [[framing]] is needed"));
  return framings;
}

/// By dimension id; empty where the file defines none of this space.
Result<std::map<std::string, std::string>> definitions_of(const Node& file, const Space& space) {
  std::map<std::string, std::string> definitions;
  const auto* all = file.find("definitions");
  const auto* own = all == nullptr ? nullptr : all->find(space.id);
  if (own == nullptr) return definitions;
  VALENCE_TRY(const auto table, own->as_table());
  for (const auto& [id, text] : table) {
    if (space.find(id) == nullptr)
      return tl::unexpected(text.error(fmt::format("{} has no value \"{}\"", space.id, printable(id))));
    VALENCE_TRY(definitions[id], text.as_string());
  }
  return definitions;
}

std::string line_of(const Dimension& dimension, const std::map<std::string, std::string>& definitions) {
  const auto found = definitions.find(dimension.id);
  const auto head = fmt::format("- {} (\"{}\")", dimension.label, dimension.id);
  return found == definitions.end() ? head : fmt::format("{}: {}", head, found->second);
}

std::vector<std::vector<std::size_t>> groups_of(const Space& space) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::string, std::size_t> place;
  for (const auto& dimension : space.dimensions) {
    const auto at = place.try_emplace(dimension.higher_order, groups.size()).first->second;
    if (at == groups.size()) groups.emplace_back();
    groups[at].push_back(dimension.index);
  }
  return groups;
}

}  // namespace

Result<JudgeProtocol> parse_judge_protocol(std::string_view toml, std::string_view name, const Space& space) {
  VALENCE_TRY(const auto file, parse_toml(toml, name));
  VALENCE_CHECK(
      file.allow_only({"source", "names", "meanings", "options", "conversation", "lone", "framing", "definitions"}));
  JudgeProtocol protocol;
  protocol.space = space.id;
  VALENCE_TRY(protocol.names, three(file, "names"));
  VALENCE_TRY(protocol.meanings, three(file, "meanings"));
  VALENCE_TRY(protocol.options, three(file, "options"));
  VALENCE_TRY(protocol.conversation, file.string_at("conversation"));
  VALENCE_CHECK(require_slots(file, "conversation", protocol.conversation, {"{prompt}", "{response}"}));
  VALENCE_TRY(protocol.lone, file.string_at("lone"));
  VALENCE_CHECK(require_slots(file, "lone", protocol.lone, {"{response}"}));
  VALENCE_TRY(protocol.framings, framings_of(file));
  VALENCE_TRY(const auto definitions, definitions_of(file, space));
  for (const auto& dimension : space.dimensions) {
    protocol.dimensions.push_back(dimension.id);
    protocol.lines.push_back(line_of(dimension, definitions));
  }
  protocol.groups = groups_of(space);
  return protocol;
}

Result<JudgeProtocol> judge_protocol(const Space& space) {
  VALENCE_TRY(const auto data, data_folder());
  const auto path = data / "evaluate" / "judge.toml";
  VALENCE_TRY(const auto text, read_file(path));
  return parse_judge_protocol(text, path.string(), space);
}

Result<JudgeRoute> judge_route(std::string_view name) {
  if (name == "auto") return JudgeRoute::kAuto;
  if (name == "exact") return JudgeRoute::kExact;
  if (name == "sampled") return JudgeRoute::kSampled;
  return fail(ErrorCode::kUsage, "a judge is asked by the route auto, exact or sampled, not \"{}\"", printable(name));
}

}  // namespace valence
