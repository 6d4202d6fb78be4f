#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace valence {

/// What happens to letters before words are looked up.
struct WordRules {
  bool lowercase = true;
  bool strip_accents = true;  ///< canonical decomposition, then without non-spacing marks
};

/// Text cut into words as BERT's tokenizers cut it: control, format and private-use characters dropped, white space and
/// CJK ideographs separate, every punctuation mark a word of its own. What is not UTF-8 is dropped.
///
/// Source: the BertNormalizer and BertPreTokenizer that published encoders were trained with; checked against them over
/// all of Unicode but for punctuation newer than their tables.
std::vector<std::string> bert_words(std::string_view text, const WordRules& rules);

}  // namespace valence
