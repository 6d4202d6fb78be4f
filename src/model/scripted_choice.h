#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "valence/model/scripted.h"

namespace valence {

/// Labels of the last block of at least two consecutive option lines ("A: …", "2. …", "first) …") of a text, in the
/// order they stand; labels are distinct and of one kind (letters, numbers, ordinals). Empty when there is none.
std::vector<std::string> listed_labels(std::string_view text);

/// The last user turn, empty when there is none.
std::string_view last_user_turn(const Conversation& conversation);

/// What each of `answers` stands for in the last user turn: its option line when all of them have one, else itself.
ScriptedChoice read_choice(const Conversation& conversation, const std::vector<std::string>& answers);

}  // namespace valence
