#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "llama_vocab.h"
#include "llama_weights.h"
#include "valence/model/embedder.h"
#include "word_pieces.h"

namespace valence {

/// Text → the tokens that an embedder reads: the tokenizer's own frame ([CLS] … [SEP], or a beginning and end of text if
/// the vocabulary adds them) around the text's pieces.
class EmbedTokenizer {
 public:
  /// kUnsupported for a "bert" vocabulary without an unknown token.
  static Result<EmbedTokenizer> make(const CheckedFile& file, const LlamaWeights& weights);

  /// At most `limit` tokens: a longer text loses its end, the frame stays.
  Result<EmbedItem> tokenize(std::string_view text, std::size_t limit) const;
  bool contains(TokenId token) const { return vocabulary_.contains(token); }
  std::size_t size() const { return vocabulary_.size(); }

 private:
  EmbedTokenizer(Vocabulary vocabulary, std::optional<WordPieces> pieces);

  Vocabulary vocabulary_;
  std::optional<WordPieces> pieces_;  ///< of a "bert" vocabulary
  std::vector<TokenId> before_, after_;
};

}  // namespace valence
