#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llama.h"
#include "valence/base/result.h"
#include "valence/model/chat.h"
#include "valence/model/language_model.h"

namespace valence {

/// A model's vocabulary, with people's text kept text.
class Vocabulary {
 public:
  /// `template_source`: user-defined tokens that it mentions are treated like control tokens. `vocab` must outlive this.
  Vocabulary(const llama_vocab* vocab, bool space_prefix, std::string_view template_source);

  /// Tokens of a rendered conversation. Control strings count in the template's parts only; text between two control
  /// tokens is tokenised as one run, as the model's own tokenizer would. Begins with exactly one BOS if the template
  /// or the vocabulary wants one.
  Result<std::vector<TokenId>> tokenize(std::span<const TextPart> parts) const;

  /// Tokens of plain text right after the token `previous`: no control tokens, no added space inside a text.
  Result<std::vector<TokenId>> continuation(std::string_view text, TokenId previous) const;

  /// Tokens of plain text that nothing stands before but control tokens; none of an empty one.
  Result<std::vector<TokenId>> text_alone(std::string_view text) const { return plain(text, false); }

  /// The conversation with a noncharacter (U+FDD0) inside every control string, taken out again by `tokenize`: a
  /// template's string operations may lose the mark of what came from people, this they keep.
  Conversation shield(Conversation conversation) const;

  TokenId end_of_turn() const;  ///< what closes an answer; -1 if the model has none
  bool ends(TokenId token) const { return llama_vocab_is_eog(vocab_, token); }
  bool is_control(TokenId token) const { return llama_vocab_is_control(vocab_, token); }
  bool contains(TokenId token) const { return token >= 0 && token < llama_vocab_n_tokens(vocab_); }
  std::size_t size() const { return static_cast<std::size_t>(llama_vocab_n_tokens(vocab_)); }
  std::string text(TokenId token) const;  ///< as in the vocabulary; control tokens by their names
  std::string piece(TokenId token, bool show_control = false) const;  ///< bytes; control tokens are empty unless shown
  const llama_vocab* get() const { return vocab_; }

 private:
  struct Special {
    TokenId id;
    std::string text;
    bool control;
    bool eats_left, eats_right;  ///< white space beside it
  };

  std::vector<TokenId> raw(std::string_view text) const;
  Result<std::vector<TokenId>> plain(std::string_view text, bool after_text) const;
  bool is_guarded(TokenId token) const;
  std::size_t find_guarded(std::string_view text) const;
  void partition(std::string_view text, std::size_t special, std::vector<std::pair<const Special*, std::string>>& out) const;

  const llama_vocab* vocab_;
  bool space_prefix_;
  std::vector<Special> specials_;  ///< longest first
};

struct LlamaWeights;

/// The model's own template, or the plain one if its file has none.
Result<ChatTemplate> template_of(const LlamaWeights& weights);
Vocabulary vocabulary_of(const LlamaWeights& weights, std::string_view template_source);

}  // namespace valence
