#include <iterator>

#include "valence/exam/conversation_for.h"
#include "valence/exam/examiner.h"

namespace valence {
namespace {

void add_messages(Hasher& hasher, const std::vector<Message>& messages) {
  hasher.add(static_cast<std::uint64_t>(messages.size()));
  for (const auto& message : messages) hasher.add(to_string(message.role)).add(message.text);
}

/// The subject's system prompt, then the system turns that the question begins with: most templates know one only.
std::string system_text(const Subject& subject, std::span<const Message> opening) {
  std::string text = subject.system_prompt;
  for (const auto& message : opening) {
    if (!text.empty()) text += "\n\n";
    text += message.text;
  }
  return text;
}

}  // namespace

Digest Subject::digest() const {
  const auto& card = model->card();
  Hasher hasher;
  hasher.add("subject 1").add(card.backend).add(card.identity);
  hasher.add(static_cast<std::uint64_t>(card.facts.size()));
  for (const auto& [fact, value] : card.facts) hasher.add(fact).add(value);
  hasher.add(system_prompt);
  add_messages(hasher, examples);
  hasher.add(static_cast<std::uint64_t>(render.thinking)).add(render.date);
  return hasher.finish();
}

Conversation conversation_for(const Subject& subject, std::span<const Message> history, std::string_view turn,
                              std::string_view answer_prefix) {
  std::size_t opening = 0;
  while (opening < history.size() && history[opening].role == Role::kSystem) ++opening;

  Conversation conversation;
  auto& messages = conversation.messages;
  if (auto text = system_text(subject, history.first(opening)); !text.empty()) {
    messages.push_back({Role::kSystem, std::move(text)});
  }
  messages.insert(messages.end(), subject.examples.begin(), subject.examples.end());
  messages.insert(messages.end(), history.begin() + static_cast<std::ptrdiff_t>(opening), history.end());
  messages.push_back({Role::kUser, std::string(turn)});
  conversation.answer_prefix = answer_prefix;
  return conversation;
}

}  // namespace valence
