#include <cmath>

#include "valence/base/text.h"
#include "valence/values/target.h"

namespace valence {
namespace {

/// A TOML basic string.
std::string toml_string(std::string_view text) {
  std::string escaped = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    escaped += control ? fmt::format("\\u{:04x}", static_cast<unsigned>(c)) : std::string(1, c);
  }
  return escaped + '"';
}

std::string number(double value) {
  const auto text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string values_toml(const Target& target) {
  std::string text = "\n[values]\n";
  for (const auto& [dimension, value] : target.values) {
    if (!std::isnan(value)) text += fmt::format("{} = {}\n", dimension, number(value));
  }
  return text;
}

std::string weights_toml(const Target& target) {
  if (target.weights.empty()) return "";
  std::string text = "\n[weights]\n";
  for (std::size_t i = 0; i < target.values.size(); ++i)
    text += fmt::format("{} = {}\n", target.values[i].first, number(target.weight(i)));
  return text;
}

std::string intervals_toml(const Target& target) {
  std::string text;
  for (std::size_t i = 0; i < target.intervals.size(); ++i) {
    const auto& [low, high, count] = target.intervals[i];
    if (std::isnan(low) || std::isnan(high)) continue;
    text += fmt::format("{} = {{ low = {}, high = {}, count = {} }}\n", target.values[i].first, number(low),
                        number(high), count);
  }
  return text.empty() ? "" : "\n[intervals]\n" + text;
}

std::string spread_toml(const Target& target) {
  std::string text;
  for (std::size_t i = 0; i < target.spreads.size(); ++i) {
    if (!std::isnan(target.spreads[i]))
      text += fmt::format("{} = {}\n", target.values[i].first, number(target.spreads[i]));
  }
  return text.empty() ? "" : "\n[spread]\n" + text;
}

std::string answers_toml(const Target& target) {
  if (!target.answers) return "";
  auto text =
      fmt::format("\n[answers]\nquestionnaire = {}\n\n[answers.items]\n", toml_string(target.answers->questionnaire));
  for (const auto& [item, answer] : target.answers->items)
    text += fmt::format("{} = {}\n", toml_string(item), number(answer));
  return text;
}

std::string left_out_toml(const Target& target) {
  std::vector<std::string> names;
  for (const auto& [dimension, value] : target.values) {
    if (std::isnan(value)) names.push_back(toml_string(dimension));
  }
  return names.empty() ? "" : fmt::format("leave_out = [{}]\n", join(names, ", "));
}

}  // namespace

std::string to_toml(const Target& target) {
  std::string text = fmt::format("id = {}\nspace = {}\nlabel = {}\n", toml_string(target.id), toml_string(target.space),
                                 toml_string(target.label));
  if (target.scale != ScoreScale::kNone) text += fmt::format("scale = {}\n", toml_string(to_string(target.scale)));
  if (!target.instrument.empty()) text += fmt::format("instrument = {}\n", toml_string(target.instrument));
  if (target.reachable)
    text += fmt::format("reachable = {{ low = {}, high = {} }}\n", number(target.reachable->low),
                        number(target.reachable->high));
  if (target.respondents > 0) text += fmt::format("respondents = {}\n", target.respondents);
  if (target.mean_rating) text += fmt::format("mean_rating = {}\n", number(*target.mean_rating));
  text += left_out_toml(target);
  const auto& source = target.provenance;
  text += fmt::format("\n[provenance]\ncitation = {}\nlicence = {}\nnote = {}\n", toml_string(source.citation),
                      toml_string(source.licence), toml_string(source.note));
  return text + values_toml(target) + weights_toml(target) + intervals_toml(target) + spread_toml(target) +
         answers_toml(target);
}

}  // namespace valence
