#include "embed_tokens.h"

#include <algorithm>
#include <array>

namespace valence {
namespace {

/// A flag of the file, or what llama.cpp takes when it is absent.
bool flag(const GgufInfo& info, const char* key, bool fallback) {
  const auto found = info.metadata.find(key);
  const auto* value = found == info.metadata.end() ? nullptr : std::get_if<bool>(&found->second);
  return value ? *value : fallback;
}

/// Accents go with capitals unless the file says otherwise.
WordRules rules_of(const GgufInfo& info) {
  const bool lowercase = flag(info, "tokenizer.ggml.normalizer.lowercase", true);
  return {lowercase, flag(info, "tokenizer.ggml.normalizer.strip_accents", lowercase)};
}

/// What the tokenizer puts around any text: its tokens of the empty one.
std::vector<TokenId> frame_of(const llama_vocab* vocab) {
  std::array<llama_token, 8> tokens{};
  const int count = llama_tokenize(vocab, "", 0, tokens.data(), static_cast<int>(tokens.size()), true, false);
  return {tokens.begin(), tokens.begin() + std::max(count, 0)};
}

}  // namespace

EmbedTokenizer::EmbedTokenizer(Vocabulary vocabulary, std::optional<WordPieces> pieces)
    : vocabulary_(std::move(vocabulary)), pieces_(std::move(pieces)) {
  after_ = frame_of(vocabulary_.get());
  if (!after_.empty() && after_.front() == llama_vocab_bos(vocabulary_.get())) {
    before_ = {after_.front()};
    after_.erase(after_.begin());
  }
}

Result<EmbedTokenizer> EmbedTokenizer::make(const CheckedFile& file, const LlamaWeights& weights) {
  std::optional<WordPieces> pieces;
  if (llama_vocab_type(weights.vocab()) == LLAMA_VOCAB_TYPE_WPM) pieces.emplace(weights.vocab(), rules_of(file.info));
  if (pieces && !pieces->has_unknown()) {
    return fail(ErrorCode::kUnsupported, "{}: its \"bert\" vocabulary has no token [UNK] for words that it lacks",
                file.path.string());
  }
  return EmbedTokenizer(vocabulary_of(weights, ""), std::move(pieces));
}

Result<EmbedItem> EmbedTokenizer::tokenize(std::string_view text, std::size_t limit) const {
  std::vector<TokenId> inner;
  if (pieces_) {
    inner = pieces_->tokenize(text);
  } else {
    VALENCE_TRY(inner, vocabulary_.text_alone(text));
  }
  EmbedItem item;
  const auto room = limit - std::min(limit, before_.size() + after_.size());
  item.truncated = inner.size() > room;
  item.tokens = before_;
  item.tokens.insert(item.tokens.end(), inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(std::min(inner.size(), room)));
  item.tokens.insert(item.tokens.end(), after_.begin(), after_.end());
  return item;
}

}  // namespace valence
