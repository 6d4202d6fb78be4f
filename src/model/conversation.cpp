#include "valence/model/conversation.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "valence/base/json.h"

namespace valence {
namespace {

constexpr std::array kRoles = {Role::kSystem, Role::kUser, Role::kAssistant};

std::optional<Role> role_of(std::string_view name) {
  for (const auto role : kRoles) {
    if (to_string(role) == name) return role;
  }
  return std::nullopt;
}

bool is_message(const Json& json) {
  return json.is_object() && json.size() == 2 && json.contains("role") && json["role"].is_string() &&
         json.contains("content") && json["content"].is_string();
}

bool is_conversation(const Json& json) {
  return json.is_object() && json.size() == 2 && json.contains("messages") && json["messages"].is_array() &&
         json.contains("answer_prefix") && json["answer_prefix"].is_string();
}

Result<Message> message_from(const Json& json, std::size_t number) {
  if (!is_message(json)) {
    return fail(ErrorCode::kInvalid, "conversation: message {} should be {{\"role\": text, \"content\": text}}",
                number);
  }
  const auto& name = json["role"].get_ref<const std::string&>();
  const auto role = role_of(name);
  if (!role) {
    return fail(ErrorCode::kInvalid, "conversation: message {} has the role \"{}\"; roles are system, user, assistant",
                number, name);
  }
  return Message{*role, json["content"].get<std::string>()};
}

}  // namespace

Digest Prompt::digest() const { return Hasher().add(std::span<const TokenId>(tokens)).add(wire).finish(); }

std::string to_wire(const Conversation& conversation) {
  Json messages = Json::array();
  for (const auto& message : conversation.messages) {
    messages.push_back({{"role", to_string(message.role)}, {"content", message.text}});
  }
  return to_text(Json{{"messages", std::move(messages)}, {"answer_prefix", conversation.answer_prefix}});
}

Result<Conversation> from_wire(std::string_view wire) {
  auto json = parse_json(wire, "conversation");
  if (!json) return fail(ErrorCode::kInvalid, "{}", json.error().message);
  if (!is_conversation(*json)) {
    return fail(ErrorCode::kInvalid, "conversation: should be {{\"messages\": [...], \"answer_prefix\": text}}");
  }
  Conversation conversation{{}, (*json)["answer_prefix"].get<std::string>()};
  for (const auto& entry : (*json)["messages"]) {
    VALENCE_TRY(auto message, message_from(entry, conversation.messages.size() + 1));
    conversation.messages.push_back(std::move(message));
  }
  return conversation;
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kSystem: return "system";
    case Role::kUser: return "user";
    case Role::kAssistant: return "assistant";
  }
  return "";
}

}  // namespace valence
