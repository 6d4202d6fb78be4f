#pragma once

#include <span>
#include <string_view>

#include "valence/exam/examiner.h"
#include "valence/model/conversation.h"

namespace valence {

/// What a subject sees: its steering, the turns before the question, the question, the beginning of its answer.
Conversation conversation_for(const Subject& subject, std::span<const Message> history, std::string_view turn,
                              std::string_view answer_prefix);

}  // namespace valence
