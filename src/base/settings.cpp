#include "valence/base/settings.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "valence/base/csv.h"
#include "valence/base/text.h"

namespace valence {
namespace {

std::string bounds_of(const SettingSpec& spec) {
  if (spec.low && spec.high) return fmt::format(" from {} to {}", *spec.low, *spec.high);
  if (spec.low) return fmt::format(" of at least {}", *spec.low);
  if (spec.high) return fmt::format(" of at most {}", *spec.high);
  return {};
}

/// What the setting takes, for messages.
std::string expectation_of(const SettingSpec& spec) {
  const auto unit = spec.unit.empty() ? std::string() : fmt::format(" ({})", spec.unit);
  switch (spec.type) {
    case SettingType::kBool: return "true or false";
    case SettingType::kInteger: return fmt::format("a whole number{}{}", bounds_of(spec), unit);
    case SettingType::kNumber: return fmt::format("a number{}{}", bounds_of(spec), unit);
    case SettingType::kChoice: return fmt::format("one of {}", join(spec.choices, ", "));
    case SettingType::kText: break;
  }
  return "a text";
}

bool within(const SettingSpec& spec, double value) {
  return (!spec.low || value >= *spec.low) && (!spec.high || value <= *spec.high);
}

std::optional<std::string> canonical_bool(const std::string& text) {
  const auto word = fold(text);
  for (const auto* yes : {"true", "yes", "on", "1"}) {
    if (word == yes) return "true";
  }
  for (const auto* no : {"false", "no", "off", "0"}) {
    if (word == no) return "false";
  }
  return std::nullopt;
}

std::optional<std::string> canonical_integer(const SettingSpec& spec, const std::string& text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == end;
  if (!whole || !within(spec, static_cast<double>(value))) return std::nullopt;
  return std::to_string(value);
}

std::optional<std::string> canonical_number(const SettingSpec& spec, const std::string& text) {
  const auto value = parse_number(text, spec.name);
  if (!value || !within(spec, *value)) return std::nullopt;
  return fmt::format("{}", *value);  // the shortest text that reads back as the same number
}

/// The one way in which a value is written in records, or nothing when the setting cannot take it.
std::optional<std::string> canonical(const SettingSpec& spec, const std::string& text) {
  switch (spec.type) {
    case SettingType::kBool: return canonical_bool(text);
    case SettingType::kInteger: return canonical_integer(spec, text);
    case SettingType::kNumber: return canonical_number(spec, text);
    case SettingType::kText: return text;
    case SettingType::kChoice: break;
  }
  const bool known = std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end();
  return known ? std::optional(text) : std::nullopt;
}

std::string setting_names(const SettingTable& table) {
  std::vector<std::string> names;
  for (const auto& spec : table) names.push_back(spec.name);
  return names.empty() ? "there are none" : fmt::format("there are {}", join(names, ", "));
}

std::string unknown_setting(const SettingTable& table, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& spec : table) names.push_back(spec.name);
  const auto near = nearest(name, names);
  if (!near.empty()) return fmt::format("unknown setting \"{}\"; did you mean \"{}\"?", name, near);
  return fmt::format("unknown setting \"{}\"; {}", name, setting_names(table));
}

const SettingSpec* spec_of(const SettingTable& table, const std::string& name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& spec) { return spec.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// The text of a TOML value of the setting's own type: a number in quotes is not a number.
Result<std::string> text_of_node(const SettingSpec& spec, const Node& node) {
  switch (spec.type) {
    case SettingType::kBool: return node.as_bool().map([](bool flag) { return std::string(flag ? "true" : "false"); });
    case SettingType::kInteger: return node.as_integer().map([](std::int64_t value) { return std::to_string(value); });
    case SettingType::kNumber: return node.as_number().map([](double value) { return fmt::format("{}", value); });
    case SettingType::kText:
    case SettingType::kChoice: break;
  }
  return node.as_string();
}

std::string refused_value(const SettingSpec& spec, const std::string& text) {
  return fmt::format("setting \"{}\" should be {}, got \"{}\"", spec.name, expectation_of(spec), text);
}

Json typed_json(SettingType type, const std::string& text) {
  switch (type) {
    case SettingType::kBool: return text == "true";
    case SettingType::kInteger: return std::strtoll(text.c_str(), nullptr, 10);
    case SettingType::kNumber: return std::strtod(text.c_str(), nullptr);
    case SettingType::kText:
    case SettingType::kChoice: break;
  }
  return text;
}

}  // namespace

Result<Settings> Settings::resolve(const SettingTable& table,
                                   const std::vector<std::pair<std::string, std::string>>& given) {
  auto pairs = given;
  for (auto& pair : pairs) {
    pair.first = with_underscores(pair.first);
    if (spec_of(table, pair.first) == nullptr) {
      return fail(ErrorCode::kUsage, "{}", unknown_setting(table, pair.first));
    }
  }
  Settings settings;
  for (const auto& spec : table) {
    const auto found =
        std::find_if(pairs.rbegin(), pairs.rend(), [&](const auto& pair) { return pair.first == spec.name; });
    const auto& text = found == pairs.rend() ? spec.fallback : found->second;
    const auto value = canonical(spec, text);
    if (!value) return fail(ErrorCode::kUsage, "{}", refused_value(spec, text));
    settings.values_.emplace_back(spec.name, *value);
    settings.types_.push_back(spec.type);
  }
  return settings;
}

Result<Settings> Settings::resolve(const SettingTable& table, const Node& toml) {
  VALENCE_TRY(const auto members, toml.as_table());
  std::vector<std::pair<std::string, std::string>> given;
  for (const auto& [name, node] : members) {
    const auto* spec = spec_of(table, name);
    if (spec == nullptr) return tl::unexpected(node.error(unknown_setting(table, name)));
    VALENCE_TRY(auto text, text_of_node(*spec, node));
    if (!canonical(*spec, text)) return tl::unexpected(node.error(refused_value(*spec, text)));
    given.emplace_back(name, std::move(text));
  }
  return resolve(table, given);
}

const std::string& Settings::text(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  throw std::logic_error(fmt::format("no setting \"{}\" is declared", name));  // a programmer's error
}

bool Settings::flag(std::string_view name) const { return text(name) == "true"; }

std::int64_t Settings::integer(std::string_view name) const { return std::strtoll(text(name).c_str(), nullptr, 10); }

double Settings::number(std::string_view name) const { return std::strtod(text(name).c_str(), nullptr); }

Json Settings::to_json() const {
  Json json = Json::object();
  for (std::size_t i = 0; i < values_.size(); ++i) json[values_[i].first] = typed_json(types_[i], values_[i].second);
  return json;
}

}  // namespace valence
