#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/exam/question.h"

namespace valence {

/// Replaces `{name}` for the names given, in one pass; a doubled brace becomes one, all other braces stay.
std::string fill_form(std::string_view form, const std::vector<std::pair<std::string_view, std::string_view>>& values);

/// "A or B", "A, B or C".
std::string listed(const std::vector<std::string>& words);

/// How a question names its labels: all of them up to four, else "one from A to I", which costs a subject far fewer tokens.
std::string named(const std::vector<std::string>& labels);

/// The last user turn of a question in the letter format, in one layout.
std::string letter_turn(const ChoiceQuestion& question, const Layout& layout);

/// What belongs to the options, in the order in which a layout shows them.
std::vector<std::string> by_place(const std::vector<std::string>& of_options, const Layout& layout);

/// The same in the text format.
std::string text_turn(const ChoiceQuestion& question, const Layout& layout);

/// What is scored after the rendered context: the option itself, after a space where the answer has a beginning already.
std::string continuation(const ChoiceQuestion& question, std::string_view option);

}  // namespace valence
