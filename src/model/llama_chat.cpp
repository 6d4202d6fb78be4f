#include <jinja/caps.h>
#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>
#include <json.h>

#include <cstdio>
#include <ctime>
#include <utility>

#include "valence/base/text.h"
#include "valence/model/chat.h"

namespace valence {

struct ChatTemplate::State {
  std::string source, bos, eos;
  jinja::program program;
  bool typed_content = false;  ///< contents are lists of parts
  bool merges_system = false;
};

namespace {

/// Noon, local time: what strftime_now prints is then this date in every time zone.
Result<std::time_t> noon_of(const std::string& date) {
  std::tm day{};
  int length = 0;
  const bool parsed =
      std::sscanf(date.c_str(), "%4d-%2d-%2d%n", &day.tm_year, &day.tm_mon, &day.tm_mday, &length) == 3;
  day.tm_year -= 1900;
  day.tm_mon -= 1;
  day.tm_hour = 12;
  day.tm_isdst = -1;
  const auto asked = std::pair(day.tm_mon, day.tm_mday);
  const auto time = std::mktime(&day);
  if (!parsed || length != static_cast<int>(date.size()) || date.size() != 10 || time == -1 ||
      asked != std::pair(day.tm_mon, day.tm_mday)) {
    return fail(ErrorCode::kUsage, "date \"{}\": expected a day as YYYY-MM-DD", date);
  }
  return time;
}

common_json content_of(const std::string& text, bool typed) {
  if (!typed) return common_json::make(text);
  return common_json::array({common_json_value(common_json{{"type", "text"}, {"text", text}})});
}

common_json messages_json(const std::vector<Message>& messages, bool typed) {
  auto list = common_json::array();
  for (const auto& message : messages) {
    auto entry = common_json::object();
    entry["role"] = std::string(to_string(message.role));
    entry["content"] = content_of(message.text, typed);
    list.push_back(common_json_value(entry));
  }
  return list;
}

/// Everything in the messages was marked as input; roles and part types are ours and may build control strings.
void unmark_names(const jinja::value& messages) {
  for (const auto& message : messages->as_array()) {
    for (const auto& [key, value] : message->as_ordered_object()) {
      if (key->as_string().str() == "content") continue;
      for (auto& part : value->val_str.parts) part.is_input = false;
    }
  }
}

std::vector<TextPart> parts_of(const jinja::value& results) {
  std::vector<TextPart> parts;
  const auto gathered = jinja::runtime::gather_string_parts(results);
  for (const auto& part : gathered->val_str.parts) {
    if (!part.val.empty()) parts.push_back({part.val, part.is_input});
  }
  return parts;
}

/// Throws what the runtime throws.
std::vector<TextPart> execute(const ChatTemplate::State& state, const std::vector<Message>& messages, bool thinking,
                              std::time_t now) {
  jinja::context context(state.source);
  context.current_time = now;
  jinja::global_from_json(context,
                          common_json{{"bos_token", state.bos},
                                      {"eos_token", state.eos},
                                      {"enable_thinking", thinking},
                                      {"add_generation_prompt", true}},
                          false);
  auto conversation = common_json::object();
  conversation["messages"] = messages_json(messages, state.typed_content);
  jinja::global_from_json(context, conversation, true);
  unmark_names(context.get_val("messages"));
  jinja::runtime runtime(context);
  return parts_of(runtime.execute(state.program));
}

std::vector<Message> merge_system(std::vector<Message> messages) {
  if (messages.empty() || messages.front().role != Role::kSystem) return messages;
  auto system = std::move(messages.front().text);
  messages.erase(messages.begin());
  if (messages.empty() || messages.front().role != Role::kUser) {
    messages.insert(messages.begin(), {Role::kUser, std::move(system)});
  } else {
    messages.front().text = system + "\n\n" + messages.front().text;
  }
  return messages;
}

/// Whether a system turn's text comes out of the template.
bool prints_system(const ChatTemplate::State& state) {
  constexpr std::string_view kProbe = "3f1c-probe";
  try {
    const auto parts =
        execute(state, {{Role::kSystem, std::string(kProbe)}, {Role::kUser, "x"}}, false, std::time_t{0});
    for (const auto& part : parts) {
      if (part.text.find(kProbe) != std::string::npos) return true;
    }
  } catch (const std::exception&) {
    return false;
  }
  return false;
}

std::vector<TextPart> render_plain(const Conversation& conversation) {
  std::vector<TextPart> parts;
  for (const auto& message : conversation.messages) {
    const bool asks = message.role == Role::kUser;
    parts.push_back({message.role == Role::kSystem ? "System: " : asks ? "User: " : "Assistant: ", false});
    parts.push_back({message.text, true});
    parts.push_back({"\n\n", false});
  }
  parts.push_back({"Assistant:", false});
  return parts;
}

std::string what_happened(const std::exception& error) {
  return trim(printable(std::string_view(error.what()).substr(0, 400)));
}

}  // namespace

Result<ChatTemplate> ChatTemplate::parse(std::string source, std::string bos, std::string eos) {
  auto state = std::make_shared<State>();
  state->source = std::move(source);
  state->bos = std::move(bos);
  state->eos = std::move(eos);
  try {
    jinja::lexer lexer;
    state->program = jinja::parse_from_tokens(lexer.tokenize(state->source));
    const auto caps = jinja::caps_get(state->program);
    state->typed_content = caps.supports_typed_content && !caps.supports_string_content;
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUnsupported, "the model's conversation template cannot be parsed: {}", what_happened(error));
  }
  state->merges_system = !prints_system(*state);
  return ChatTemplate(std::move(state));
}

ChatTemplate ChatTemplate::plain() { return ChatTemplate(std::make_shared<State>()); }

Result<std::vector<TextPart>> ChatTemplate::render(const Conversation& conversation, const RenderOptions& options) const {
  VALENCE_TRY(const auto now, noon_of(options.date));
  std::vector<TextPart> parts;
  if (is_plain()) {
    parts = render_plain(conversation);
  } else {
    try {
      parts = execute(*state_, state_->merges_system ? merge_system(conversation.messages) : conversation.messages,
                      options.thinking, now);
    } catch (const std::exception& error) {
      return fail(ErrorCode::kUnsupported, "the model's conversation template refuses these turns: {}",
                  what_happened(error));
    }
  }
  if (!conversation.answer_prefix.empty()) parts.push_back({conversation.answer_prefix, true});
  return parts;
}

const std::string& ChatTemplate::source() const { return state_->source; }
Digest ChatTemplate::digest() const { return sha256(is_plain() ? "plain" : std::string_view(state_->source)); }
bool ChatTemplate::merges_system() const { return state_->merges_system; }

}  // namespace valence
