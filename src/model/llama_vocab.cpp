#include "llama_vocab.h"

#include <algorithm>

#include "valence/base/text.h"

namespace valence {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void trim_right(std::string& text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

void trim_left(std::string& text) {
  text.erase(text.begin(), std::ranges::find_if_not(text, is_space));
}

std::size_t first_code_point_bytes(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) ++length;
  return length;
}

constexpr std::string_view kShield = "\xEF\xB7\x90";

bool has_attribute(llama_token_attr attributes, llama_token_attr wanted) { return (attributes & wanted) != 0; }

}  // namespace

Vocabulary::Vocabulary(const llama_vocab* vocab, bool space_prefix, std::string_view template_source)
    : vocab_(vocab), space_prefix_(space_prefix) {
  for (TokenId id = 0; id < llama_vocab_n_tokens(vocab); ++id) {
    const auto attributes = llama_vocab_get_attr(vocab, id);
    const bool control = has_attribute(attributes, LLAMA_TOKEN_ATTR_CONTROL);
    if (!control && !has_attribute(attributes, LLAMA_TOKEN_ATTR_USER_DEFINED)) continue;
    auto name = text(id);
    const bool mentioned = !trim(name).empty() && template_source.find(name) != std::string_view::npos;
    if (name.empty() || (!control && !mentioned)) continue;
    specials_.push_back({id, std::move(name), control, has_attribute(attributes, LLAMA_TOKEN_ATTR_LSTRIP),
                         has_attribute(attributes, LLAMA_TOKEN_ATTR_RSTRIP)});
  }
  std::ranges::stable_sort(specials_, std::greater<>{}, [](const Special& s) { return s.text.size(); });
}

std::string Vocabulary::text(TokenId token) const { return llama_vocab_get_text(vocab_, token); }

std::string Vocabulary::piece(TokenId token, bool show_control) const {
  std::string bytes(32, '\0');
  int length = llama_token_to_piece(vocab_, token, bytes.data(), static_cast<int>(bytes.size()), 0, show_control);
  if (length < 0) {
    bytes.resize(static_cast<std::size_t>(-length));
    length = llama_token_to_piece(vocab_, token, bytes.data(), static_cast<int>(bytes.size()), 0, show_control);
  }
  bytes.resize(static_cast<std::size_t>(std::max(length, 0)));
  return bytes;
}

TokenId Vocabulary::end_of_turn() const {
  const auto turn = llama_vocab_eot(vocab_);
  return turn != LLAMA_TOKEN_NULL ? turn : llama_vocab_eos(vocab_);
}

bool Vocabulary::is_guarded(TokenId token) const {
  return is_control(token) || std::ranges::any_of(specials_, [&](const Special& s) { return s.id == token; });
}

std::vector<TokenId> Vocabulary::raw(std::string_view text) const {
  std::vector<TokenId> tokens(text.size() + 2);
  const auto tokenize = [&] {
    return llama_tokenize(vocab_, text.data(), static_cast<int>(text.size()), tokens.data(),
                          static_cast<int>(tokens.size()), /*add_special=*/false, /*parse_special=*/false);
  };
  int count = tokenize();
  if (count < 0) {
    tokens.resize(static_cast<std::size_t>(-static_cast<long>(count)));
    count = tokenize();
  }
  tokens.resize(static_cast<std::size_t>(std::max(count, 0)));
  return tokens;
}

std::size_t Vocabulary::find_guarded(std::string_view text) const {
  auto earliest = std::string_view::npos;
  for (const auto& special : specials_) earliest = std::min(earliest, text.find(special.text));
  return earliest;
}

/// Text after text gets no added space: it is tokenised behind a line feed, whose tokens are then taken off.
Result<std::vector<TokenId>> Vocabulary::plain(std::string_view text, bool after_text) const {
  if (text.empty()) return std::vector<TokenId>{};
  std::vector<TokenId> tokens;
  const auto line_feed = after_text && space_prefix_ ? raw("\n") : std::vector<TokenId>{};
  if (!line_feed.empty()) {
    tokens = raw("\n" + std::string(text));
    if (!std::ranges::equal(std::span(tokens).first(std::min(tokens.size(), line_feed.size())), line_feed)) {
      tokens = raw(text);
    } else {
      tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(line_feed.size()));
    }
  } else {
    tokens = raw(text);
  }
  if (std::ranges::none_of(tokens, [&](TokenId t) { return is_guarded(t); })) return tokens;

  // Some tokenizers find control strings in plain text too: cut each after its first character.
  const auto at = find_guarded(text);
  const auto cut = at == std::string_view::npos ? 0 : at + first_code_point_bytes(text.substr(at));
  if (cut == 0 || cut >= text.size()) {
    return fail(ErrorCode::kUnsupported, "the text \"{}\" becomes a control token of this model, which text must not",
                printable(text.substr(0, 80)));
  }
  VALENCE_TRY(auto head, plain(text.substr(0, cut), after_text));
  VALENCE_TRY(const auto tail, plain(text.substr(cut), true));
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

/// Cuts at every occurrence of the specials from index `special` on, as the model's tokenizer does: longest first.
void Vocabulary::partition(std::string_view text, std::size_t special,
                           std::vector<std::pair<const Special*, std::string>>& out) const {
  for (; special < specials_.size(); ++special) {
    const auto& name = specials_[special].text;
    const auto at = text.find(name);
    if (at == std::string_view::npos) continue;
    partition(text.substr(0, at), special + 1, out);
    out.emplace_back(&specials_[special], std::string());
    return partition(text.substr(at + name.size()), special, out);
  }
  if (!text.empty()) out.emplace_back(nullptr, std::string(text));
}

Result<std::vector<TokenId>> Vocabulary::tokenize(std::span<const TextPart> parts) const {
  std::vector<std::pair<const Special*, std::string>> pieces;
  for (const auto& part : parts) {
    if (part.from_people) {
      pieces.emplace_back(nullptr, part.text);
    } else {
      partition(part.text, 0, pieces);
    }
  }
  std::vector<TokenId> tokens;
  std::string run;
  bool eat_left = false;
  const auto flush = [&]() -> Result<void> {
    if (eat_left) trim_left(run);
    VALENCE_TRY(const auto text, plain(replace_all(run, kShield, ""), false));
    tokens.insert(tokens.end(), text.begin(), text.end());
    run.clear();
    return {};
  };
  for (const auto& [special, text] : pieces) {
    if (special == nullptr) {
      run += text;
      continue;
    }
    if (special->eats_left) trim_right(run);
    VALENCE_CHECK(flush());
    tokens.push_back(special->id);
    eat_left = special->eats_right;
  }
  VALENCE_CHECK(flush());

  const auto bos = llama_vocab_bos(vocab_);
  while (tokens.size() > 1 && bos != LLAMA_TOKEN_NULL && tokens[0] == bos && tokens[1] == bos) tokens.erase(tokens.begin());
  const bool begins = !tokens.empty() && tokens.front() == bos;
  if (llama_vocab_get_add_bos(vocab_) && bos != LLAMA_TOKEN_NULL && !begins) tokens.insert(tokens.begin(), bos);
  if (tokens.empty()) return fail(ErrorCode::kUsage, "the conversation is empty: there is nothing to put to the model");
  return tokens;
}

Conversation Vocabulary::shield(Conversation conversation) const {
  const auto shielded = [&](std::string text) {
    for (const auto& special : specials_) {
      const auto cut = first_code_point_bytes(special.text);
      if (!special.control || cut == special.text.size()) continue;
      auto broken = special.text;
      broken.insert(cut, kShield);
      if (text.find(special.text) != std::string::npos) text = replace_all(text, special.text, broken);
    }
    return text;
  };
  for (auto& message : conversation.messages) message.text = shielded(std::move(message.text));
  conversation.answer_prefix = shielded(std::move(conversation.answer_prefix));
  return conversation;
}

Result<std::vector<TokenId>> Vocabulary::continuation(std::string_view text, TokenId previous) const {
  return plain(text, !is_control(previous));
}

}  // namespace valence
