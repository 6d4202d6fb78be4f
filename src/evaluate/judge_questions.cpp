#include "judge_questions.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using Unit = JudgeFraming::Unit;

std::vector<std::string> ids_of(const std::vector<JudgeFraming>& framings) {
  std::vector<std::string> ids;
  for (const auto& framing : framings) ids.push_back(framing.id);
  return ids;
}

bool usable(const JudgeFraming& framing, JudgeRoute route) {
  return route == JudgeRoute::kSampled || !framing.choice.empty();
}

Result<std::size_t> framing_called(const JudgeProtocol& protocol, const std::string& id, JudgeRoute route) {
  const auto ids = ids_of(protocol.framings);
  const auto found = std::find(ids.begin(), ids.end(), id);
  if (found == ids.end())
    return fail(ErrorCode::kUsage, "a judge has no framing \"{}\"; there are {}", printable(id), join(ids, ", "));
  const auto place = static_cast<std::size_t>(found - ids.begin());
  if (usable(protocol.framings[place], route)) return place;
  return fail(ErrorCode::kUsage,
              "the framing {} has no form for exact probabilities: ask by the route sampled, or in another framing",
              id);
}

/// The sets of values that one question is about.
std::vector<std::vector<std::size_t>> sets_of(const JudgeProtocol& protocol, Unit unit) {
  if (unit == Unit::kGroup) return protocol.groups;
  std::vector<std::size_t> all(protocol.dimensions.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (unit == Unit::kSpace) return {all};
  std::vector<std::vector<std::size_t>> each;
  for (const auto dim : all) each.push_back({dim});
  return each;
}

Result<std::string> conversation_text(const JudgeProtocol& protocol, const PromptedText& text) {
  if (trim(text.prompt).empty()) return fill(protocol.lone, {{"response", text.response}});
  return fill(protocol.conversation, {{"prompt", text.prompt}, {"response", text.response}});
}

std::string value_lines(const JudgeProtocol& protocol, std::span<const std::size_t> dims) {
  std::vector<std::string> lines;
  for (const auto dim : dims) lines.push_back(protocol.lines[dim]);
  return join(lines, "\n");
}

std::string label_lines(const JudgeProtocol& protocol, bool reversed) {
  std::vector<std::string> lines;
  for (std::size_t c = 0; c < kLabelClasses; ++c)
    lines.push_back(fmt::format("- \"{}\": {}", protocol.names[c], protocol.meanings[c]));
  if (reversed) std::reverse(lines.begin(), lines.end());
  return join(lines, "\n");
}

/// How the answer looks, without naming a label: an example would be copied.
std::string answer_form(const JudgeProtocol& protocol, const JudgeFraming& framing, std::span<const std::size_t> dims) {
  Json labels = Json::object();
  for (const auto dim : dims) labels[protocol.dimensions[dim]] = "…";
  Json form = Json::object();
  if (framing.reasoning) form["reasoning"] = "…";
  form["labels"] = labels;
  return to_text(form);
}

std::string schema_of(const JudgeProtocol& protocol, const JudgeFraming& framing, std::span<const std::size_t> dims) {
  constexpr int kLongestReasoning = 500;  // characters, so that the labels are reached
  Json labels = {
      {"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}, {"additionalProperties", false}};
  for (const auto dim : dims) {
    labels["properties"][protocol.dimensions[dim]] = {{"enum", protocol.names}};
    labels["required"].push_back(protocol.dimensions[dim]);
  }
  Json schema = {
      {"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}, {"additionalProperties", false}};
  if (framing.reasoning) {
    schema["properties"]["reasoning"] = {{"type", "string"}, {"maxLength", kLongestReasoning}};
    schema["required"].push_back("reasoning");
  }
  schema["properties"]["labels"] = labels;
  schema["required"].push_back("labels");
  return to_text(schema);
}

std::vector<Message> role_of(const JudgeFraming& framing) {
  if (framing.system.empty()) return {};
  return {{Role::kSystem, framing.system}};
}

Result<ChoiceQuestion> choice_of(const JudgeProtocol& protocol, const JudgeFraming& framing, const PromptedText& text,
                                 std::size_t dim) {
  VALENCE_TRY(const auto conversation, conversation_text(protocol, text));
  const std::array one{dim};
  ChoiceQuestion question;
  question.tag = {response_id(text), "", "", protocol.dimensions[dim], framing.id};
  question.history = role_of(framing);
  // What people wrote is literal; the slots of the options stay for the layout.
  VALENCE_TRY(question.letter_form, fill(framing.choice, {{"conversation", literal(conversation)},
                                                          {"values", literal(value_lines(protocol, one))},
                                                          {"options", "{options}"},
                                                          {"labels", "{labels}"}}));
  question.options.assign(protocol.options.begin(), protocol.options.end());
  question.layouts.orders = OrderDesign::kBoth;
  return question;
}

Result<OpenQuestion> open_of(const JudgeProtocol& protocol, const JudgeQuestion& about, const PromptedText& text,
                             std::size_t sample, const JudgeOptions& options, bool constrained) {
  const auto& framing = protocol.framings[about.framing];
  VALENCE_TRY(const auto conversation, conversation_text(protocol, text));
  OpenQuestion question;
  std::vector<std::string> names;
  for (const auto dim : about.dims) names.push_back(protocol.dimensions[dim]);
  question.tag = {response_id(text), "", "", join(names, "+"),
                  fmt::format("{}, {}, {}", framing.id, about.reversed ? "reversed" : "paper", sample + 1)};
  question.history = role_of(framing);
  VALENCE_TRY(question.text, fill(framing.text, {{"conversation", conversation},
                                                 {"values", value_lines(protocol, about.dims)},
                                                 {"labels", label_lines(protocol, about.reversed)},
                                                 {"form", answer_form(protocol, framing, about.dims)}}));
  question.sampling.temperature = options.temperature;
  question.sampling.max_tokens = options.max_tokens;
  if (constrained) question.constraint = {Constraint::Kind::kJsonSchema, schema_of(protocol, framing, about.dims)};
  return question;
}

int class_named(const std::string& name, const JudgeProtocol& protocol) {
  const auto found = std::find_if(protocol.names.begin(), protocol.names.end(),
                                  [&](const auto& own) { return fold(own) == fold(trim(name)); });
  return found == protocol.names.end() ? -1 : static_cast<int>(found - protocol.names.begin());
}

}  // namespace

Result<std::vector<std::size_t>> framings_for(const JudgeProtocol& protocol, const JudgeOptions& options,
                                              JudgeRoute route) {
  std::vector<std::size_t> places;
  for (const auto& id : options.framings) {
    VALENCE_TRY(const auto place, framing_called(protocol, id, route));
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  if (!places.empty()) return places;
  for (std::size_t i = 0; i < protocol.framings.size(); ++i) {
    if (usable(protocol.framings[i], route)) places.push_back(i);
  }
  return places;
}

Result<std::vector<JudgeQuestion>> exact_questions(const JudgeProtocol& protocol, std::span<const PromptedText> texts,
                                                   std::span<const std::size_t> framings) {
  std::vector<JudgeQuestion> questions;
  for (std::size_t row = 0; row < texts.size(); ++row) {
    for (const auto framing : framings) {
      for (std::size_t dim = 0; dim < protocol.dimensions.size(); ++dim) {
        VALENCE_TRY(auto question, choice_of(protocol, protocol.framings[framing], texts[row], dim));
        questions.push_back({row, framing, {dim}, false, std::move(question)});
      }
    }
  }
  return questions;
}

Result<std::vector<JudgeQuestion>> sampled_questions(const JudgeProtocol& protocol, std::span<const PromptedText> texts,
                                                     std::span<const std::size_t> framings, const JudgeOptions& options,
                                                     bool constrained) {
  std::vector<JudgeQuestion> questions;
  for (std::size_t row = 0; row < texts.size(); ++row) {
    for (const auto framing : framings) {
      for (const auto& dims : sets_of(protocol, protocol.framings[framing].unit)) {
        for (std::size_t draw = 0; draw < 2 * options.samples; ++draw) {
          JudgeQuestion one{row, framing, dims, draw % 2 == 1, {}};
          VALENCE_TRY(one.question, open_of(protocol, one, texts[row], draw / 2, options, constrained));
          questions.push_back(std::move(one));
        }
      }
    }
  }
  return questions;
}

std::vector<int> parse_judge_answer(std::string_view text, const JudgeProtocol& protocol,
                                    std::span<const std::size_t> dims) {
  std::vector<int> classes(dims.size(), -1);
  const auto first = text.find('{');
  const auto last = text.rfind('}');
  if (first == std::string_view::npos || last == std::string_view::npos || last < first) return classes;
  const auto json = parse_json(text.substr(first, last - first + 1), "a judge's answer");
  if (!json || !json->is_object() || !json->contains("labels")) return classes;
  const auto& labels = (*json)["labels"];
  for (std::size_t i = 0; i < dims.size() && labels.is_object(); ++i) {
    const auto found = labels.find(protocol.dimensions[dims[i]]);
    if (found != labels.end() && found->is_string()) classes[i] = class_named(found->get<std::string>(), protocol);
  }
  return classes;
}

}  // namespace valence
