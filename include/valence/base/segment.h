#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace valence {

/// The words of a text, folded (base/text.h): maximal runs of letters, digits and combining marks; an apostrophe
/// between two of them stays inside the word and is written "'". Scripts that do not separate words give long runs.
std::vector<std::string> words(std::string_view text);

/// The text without characters of the Unicode categories P* (punctuation): "self-interest," becomes "selfinterest".
std::string without_punctuation(std::string_view text);

/// Views of the text's pieces between white space (Unicode White_Space).
std::vector<std::string_view> split_at_space(std::string_view text);

/// Views of the sentences of valid UTF-8 by the rules of Unicode Standard Annex 29, each with the white space that
/// follows it: joined they are the text.
std::vector<std::string_view> sentences(std::string_view text);

}  // namespace valence
