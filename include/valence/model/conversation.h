#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"

namespace valence {

using TokenId = std::int32_t;

enum class Role { kSystem, kUser, kAssistant };

/// One turn. The text is what a person, an item or the model said: it is never read as template or control tokens.
struct Message {
  Role role;
  std::string text;
};

/// What the model sees before it answers: turns, then the beginning of its own answer (may be empty).
struct Conversation {
  std::vector<Message> messages;
  std::string answer_prefix;
};

struct RenderOptions {
  bool thinking = false;             ///< let models that can think do so
  std::string date = "2026-01-01";   ///< what templates that print the date print; recorded with every run
};

/// A rendered conversation: token ids for engines in process, a wire document for endpoints and scripted subjects.
struct Prompt {
  std::vector<TokenId> tokens;
  std::string wire;

  Digest digest() const;  ///< of tokens and wire
};

/// JSON of a conversation, the wire form: {"messages":[{"role","content"}...],"answer_prefix":"..."}.
/// Text that is not UTF-8 is written with U+FFFD in its place.
std::string to_wire(const Conversation& conversation);
/// Fails with kInvalid on anything that is not such a document, unknown keys included.
Result<Conversation> from_wire(std::string_view wire);

std::string_view to_string(Role role);

}  // namespace valence
