// How loaded weights read and write text: their conversation template and their vocabulary.
#include "llama_engine.h"
#include "llama_vocab.h"

namespace valence {
namespace {

std::string metadata(const llama_model* model, const char* key) {
  char value[64];
  return llama_model_meta_val_str(model, key, value, sizeof(value)) >= 0 ? value : "";
}

std::string text_of(const Vocabulary& vocabulary, TokenId token) {
  return vocabulary.contains(token) ? vocabulary.text(token) : std::string();
}

/// SentencePiece vocabularies put a space before text unless the file says otherwise.
bool has_space_prefix(const llama_model* model) {
  if (llama_vocab_type(llama_model_get_vocab(model)) != LLAMA_VOCAB_TYPE_SPM) return false;
  return metadata(model, "tokenizer.ggml.add_space_prefix") != "false";
}

}  // namespace

Result<ChatTemplate> template_of(const LlamaWeights& weights) {
  const auto* model = weights.model.get();
  const char* source = llama_model_chat_template(model, nullptr);
  if (source == nullptr || *source == '\0') return ChatTemplate::plain();
  const auto* vocab = llama_model_get_vocab(model);
  const Vocabulary names(vocab, false, "");
  return ChatTemplate::parse(source, text_of(names, llama_vocab_bos(vocab)), text_of(names, llama_vocab_eos(vocab)));
}

Vocabulary vocabulary_of(const LlamaWeights& weights, std::string_view template_source) {
  return {weights.vocab(), has_space_prefix(weights.model.get()), template_source};
}

}  // namespace valence
