#include "word_pieces.h"

#include <algorithm>

#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::string_view kWordStart = "\xE2\x96\x81";
constexpr std::size_t kLongestWord = 100;  // characters; Devlin et al. 2018, reference tokenizer

}  // namespace

WordPieces::WordPieces(const llama_vocab* vocab, const WordRules& rules)
    : unknown_(LLAMA_TOKEN_NULL), rules_(rules) {
  for (TokenId id = 0; id < llama_vocab_n_tokens(vocab); ++id) {
    std::string text = llama_vocab_get_text(vocab, id);
    if ((llama_vocab_get_attr(vocab, id) & LLAMA_TOKEN_ATTR_UNKNOWN) != 0 || text == "[UNK]") unknown_ = id;
    longest_ = std::max(longest_, text.size());
    pieces_.emplace(std::move(text), id);
  }
}

bool WordPieces::append_pieces(std::string_view word, std::vector<TokenId>& tokens) const {
  const auto marked = std::string(kWordStart) + std::string(word);
  for (std::size_t at = 0; at < marked.size();) {
    auto length = std::min(longest_, marked.size() - at);
    auto found = pieces_.end();
    // A first piece is more than the mark alone.
    const auto least = at == 0 ? kWordStart.size() + 1 : 1;
    for (; length >= least; --length) {
      found = pieces_.find(marked.substr(at, length));
      if (found != pieces_.end()) break;
    }
    if (found == pieces_.end()) return false;
    tokens.push_back(found->second);
    at += length;
  }
  return true;
}

std::vector<TokenId> WordPieces::tokenize(std::string_view text) const {
  std::vector<TokenId> tokens;
  for (const auto& word : bert_words(text, rules_)) {
    const auto before = tokens.size();
    if (code_points(word) <= kLongestWord && append_pieces(word, tokens)) continue;
    tokens.resize(before);
    tokens.push_back(unknown_);
  }
  return tokens;
}

}  // namespace valence
