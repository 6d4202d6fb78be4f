#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "llama.h"
#include "valence/base/words.h"
#include "valence/model/conversation.h"

namespace valence {

/// The vocabulary of a GGUF file whose tokenizer is "bert": pieces that begin a word are written with U+2581 before them.
///
/// Ours and not the engine's own, which strips spacing marks too and knows no longest word.
class WordPieces {
 public:
  WordPieces(const llama_vocab* vocab, const WordRules& rules);

  /// Of each word the longest piece from the left, again and again. A word that cannot be made up so, or that has more
  /// than 100 characters, is one unknown token.
  std::vector<TokenId> tokenize(std::string_view text) const;

  bool has_unknown() const { return unknown_ != LLAMA_TOKEN_NULL; }

 private:
  bool append_pieces(std::string_view word, std::vector<TokenId>& tokens) const;

  std::unordered_map<std::string, TokenId> pieces_;
  std::size_t longest_ = 0;  ///< bytes of a piece
  TokenId unknown_;
  WordRules rules_;
};

}  // namespace valence
