#include "valence/evaluate/vector_features.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "valence/base/segment.h"
#include "valence/base/text.h"

namespace valence {
namespace {

struct KindName {
  std::string_view prefix;  ///< before the model's name
  VectorKind kind;
};
constexpr std::array kKinds{KindName{"vectors:", VectorKind::kBoth},
                            KindName{"vectors_prompt:", VectorKind::kPrompt},
                            KindName{"vectors_response:", VectorKind::kResponse},
                            KindName{"vectors_sentences:", VectorKind::kSentences},
                            KindName{"states:", VectorKind::kStates},
                            KindName{"definitions:", VectorKind::kDefinitions}};

constexpr std::string_view kUsual = "minilm";  // has short names of its own
constexpr std::array<std::pair<std::string_view, VectorKind>, 5> kShortNames{
    {{"minilm", VectorKind::kBoth},
     {"minilm_prompt", VectorKind::kPrompt},
     {"minilm_response", VectorKind::kResponse},
     {"minilm_sentences", VectorKind::kSentences},
     {"definitions", VectorKind::kDefinitions}}};

std::string_view help_of(VectorKind kind) {
  switch (kind) {
    case VectorKind::kBoth:
      return "vectors of prompt and response";
    case VectorKind::kPrompt:
      return "vector of the prompt";
    case VectorKind::kResponse:
      return "vector of the response";
    case VectorKind::kSentences:
      return "mean and greatest entries of the vectors of the response's sentences";
    case VectorKind::kStates:
      return "a decoder's mean state over the response, read after the prompt";
    case VectorKind::kDefinitions:
      return "likeness of prompt, response and sentences to what each value means";
  }
  return "";
}

Result<void> take_layer(std::string_view id, VectorSource& source) {
  const auto at = source.model.rfind('@');
  const auto digits = at == std::string::npos ? std::string_view() : std::string_view(source.model).substr(at + 1);
  const auto end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, source.layer);
  if (at == 0 || digits.empty() || read.ec != std::errc() || read.ptr != end || source.layer == 0) {
    return fail(ErrorCode::kUsage, "features {}: say which block's states, from 1, as in states:smollm2@15", id);
  }
  source.model.resize(at);
  return {};
}

// ---- vectors that are computed once

/// What one text is to the embedder, and the key it is remembered under.
struct Asked {
  std::string key;
  EmbedRequest request;
};

/// An embedder that remembers.
class Remembered {
 public:
  Remembered(std::shared_ptr<Embedder> embedder, VectorOptions options)
      : embedder_(std::move(embedder)), options_(std::move(options)) {}

  Embedder& embedder() { return *embedder_; }
  std::size_t width() const { return embedder_->card().dimensions; }

  /// One row per text, in order; what is new is computed together.
  Result<std::vector<std::span<const float>>> rows(std::span<const Asked> asked) {
    std::vector<std::string> keys;
    std::vector<EmbedRequest> requests;
    for (const auto& one : asked) {
      if (!known_.try_emplace(one.key).second) continue;
      keys.push_back(one.key);
      requests.push_back(one.request);
    }
    if (const auto computed = compute(keys, requests); !computed) {
      for (const auto& key : keys) known_.erase(key);
      return tl::unexpected(computed.error());
    }
    std::vector<std::span<const float>> rows;
    for (const auto& one : asked) rows.emplace_back(known_.at(one.key));
    return rows;
  }

 private:
  Result<void> compute(const std::vector<std::string>& keys, const std::vector<EmbedRequest>& requests) {
    if (keys.empty()) return {};
    VALENCE_TRY(const auto table, embed(*embedder_, requests, {options_.stop, options_.progress}, options_.keeping));
    for (std::size_t i = 0; i < keys.size(); ++i) known_[keys[i]].assign(table.row(i).begin(), table.row(i).end());
    return {};
  }

  std::shared_ptr<Embedder> embedder_;
  VectorOptions options_;
  std::unordered_map<std::string, std::vector<float>> known_;
};

Asked whole(const std::string& text) {
  return {text, {text.empty() ? " " : text, {}, {}}};  // an embedder of whole texts refuses an empty one
}

std::vector<Asked> parts_of(std::span<const PromptedText> texts, bool prompt, bool response) {
  std::vector<Asked> asked;
  for (const auto& text : texts) {
    if (prompt) asked.push_back(whole(text.prompt));
    if (response) asked.push_back(whole(text.response));
  }
  return asked;
}

Result<std::vector<float>> whole_vectors(Remembered& vectors, std::span<const PromptedText> texts, VectorKind kind) {
  VALENCE_TRY(const auto rows,
              vectors.rows(parts_of(texts, kind != VectorKind::kResponse, kind != VectorKind::kPrompt)));
  std::vector<float> values;
  for (const auto row : rows) values.insert(values.end(), row.begin(), row.end());
  return values;
}

// ---- sentences

/// The sentences of each response; a response without any is one empty sentence.
std::vector<std::vector<Asked>> sentences_of(std::span<const PromptedText> texts) {
  std::vector<std::vector<Asked>> all;
  for (const auto& text : texts) {
    auto& asked = all.emplace_back();
    for (const auto sentence : sentences(text.response)) {
      if (const auto bare = trim(sentence); !bare.empty()) asked.push_back(whole(std::string(bare)));
    }
    if (asked.empty()) asked.push_back(whole(""));
  }
  return all;
}

using Rows = std::vector<std::span<const float>>;

/// Rows of the sentences of every response, computed together.
Result<std::vector<Rows>> sentence_rows(Remembered& vectors, std::span<const PromptedText> texts) {
  const auto parts = sentences_of(texts);
  std::vector<Asked> flat;
  for (const auto& part : parts) flat.insert(flat.end(), part.begin(), part.end());
  VALENCE_TRY(const auto rows, vectors.rows(flat));
  std::vector<Rows> by_text;
  auto next = rows.begin();
  for (const auto& part : parts) {
    const auto end = next + static_cast<std::ptrdiff_t>(part.size());
    by_text.emplace_back(next, end);
    next = end;
  }
  return by_text;
}

void add_mean_and_greatest(const Rows& rows, std::vector<float>& values) {
  const auto width = rows.front().size();
  for (std::size_t d = 0; d < width; ++d) {
    double sum = 0.0;
    for (const auto row : rows) sum += static_cast<double>(row[d]);
    values.push_back(static_cast<float>(sum / static_cast<double>(rows.size())));
  }
  for (std::size_t d = 0; d < width; ++d) {
    values.push_back((*std::ranges::max_element(rows, {}, [d](const auto row) { return row[d]; }))[d]);
  }
}

Result<std::vector<float>> sentence_vectors(Remembered& vectors, std::span<const PromptedText> texts) {
  VALENCE_TRY(const auto by_text, sentence_rows(vectors, texts));
  std::vector<float> values;
  for (const auto& rows : by_text) add_mean_and_greatest(rows, values);
  return values;
}

// ---- states

/// Tokens of texts as the model has them, before anything is cut to fit beside something else.
Result<std::vector<TokenId>> tokens_of(Embedder& embedder, const std::string& text) {
  const EmbedRequest request{text, {}, {}};
  VALENCE_TRY(const auto plan, embedder.plan(std::span(&request, 1)));
  return plan.items.front().tokens;
}

/// The prompt's beginning goes first, since what stands next to the response matters most.
Result<Asked> states_of(Embedder& embedder, const PromptedText& text) {
  const auto before = fmt::format("Human: {}\nBob:", text.prompt);
  VALENCE_TRY(auto tokens, tokens_of(embedder, before));
  VALENCE_TRY(const auto response, tokens_of(embedder, " " + text.response));
  const auto limit = embedder.card().token_limit;
  const auto room = std::max(limit / 2, limit - std::min(limit, response.size()));
  if (tokens.size() > room) tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(room));
  const auto begin = tokens.size();
  const auto taken = std::min(response.size(), limit - begin);
  tokens.insert(tokens.end(), response.begin(), response.begin() + static_cast<std::ptrdiff_t>(taken));
  return Asked{fmt::format("{}{}{}", before, '\0', text.response), {"", std::move(tokens), {{begin, TokenSpan::kEnd}}}};
}

Result<std::vector<float>> state_vectors(Remembered& vectors, std::span<const PromptedText> texts) {
  std::vector<Asked> asked;
  for (const auto& text : texts) {
    VALENCE_TRY(auto one, states_of(vectors.embedder(), text));
    asked.push_back(std::move(one));
  }
  VALENCE_TRY(const auto rows, vectors.rows(asked));
  std::vector<float> values;
  for (const auto row : rows) values.insert(values.end(), row.begin(), row.end());
  return values;
}

// ---- definitions

constexpr std::size_t kLikenesses = 6;  // numbers per value

float cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t d = 0; d < a.size(); ++d) {
    const auto x = static_cast<double>(a[d]), y = static_cast<double>(b[d]);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0.0 && bb > 0.0 ? static_cast<float>(dot / std::sqrt(aa * bb)) : 0.0F;
}

float greatest_cosine(const Rows& some, const Rows& others) {
  float greatest = -1.0F;
  for (const auto a : some) {
    for (const auto b : others) greatest = std::max(greatest, cosine(a, b));
  }
  return greatest;
}

/// The vectors of what a value means.
struct Meaning {
  Rows definition, upholds, opposes;
};

Result<std::vector<Meaning>> meanings_of(Remembered& vectors, const ValueDefinitions& definitions) {
  const auto rows_of = [&](const std::vector<std::string>& texts) {
    std::vector<Asked> asked;
    for (const auto& text : texts) asked.push_back(whole(text));
    return vectors.rows(asked);
  };
  std::vector<Meaning> meanings;
  for (const auto& value : definitions.values) {
    Meaning meaning;
    VALENCE_TRY(meaning.definition, rows_of({value.definition}));
    VALENCE_TRY(meaning.upholds, rows_of(value.upholds));
    VALENCE_TRY(meaning.opposes, rows_of(value.opposes));
    meanings.push_back(std::move(meaning));
  }
  return meanings;
}

void add_likeness(const Rows& prompt, const Rows& response, const Rows& parts, const Meaning& meaning,
                  std::vector<float>& values) {
  values.insert(values.end(),
                {greatest_cosine(prompt, meaning.definition), greatest_cosine(response, meaning.definition),
                 greatest_cosine(parts, meaning.definition), greatest_cosine(response, meaning.upholds),
                 greatest_cosine(parts, meaning.upholds), greatest_cosine(parts, meaning.opposes)});
}

Result<std::vector<float>> definition_vectors(Remembered& vectors, std::span<const PromptedText> texts,
                                              const ValueDefinitions& definitions) {
  VALENCE_TRY(const auto meanings, meanings_of(vectors, definitions));
  VALENCE_TRY(const auto whole_rows, vectors.rows(parts_of(texts, true, true)));
  VALENCE_TRY(const auto parts, sentence_rows(vectors, texts));
  std::vector<float> values;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const auto& meaning : meanings)
      add_likeness({whole_rows[2 * i]}, {whole_rows[2 * i + 1]}, parts[i], meaning, values);
  }
  return values;
}

std::size_t width_of(VectorKind kind, std::size_t dimensions, std::size_t values) {
  if (kind == VectorKind::kDefinitions) return kLikenesses * values;
  return kind == VectorKind::kBoth || kind == VectorKind::kSentences ? 2 * dimensions : dimensions;
}

Result<std::vector<float>> vectors_of(VectorKind kind, Remembered& vectors, std::span<const PromptedText> texts,
                                      const ValueDefinitions& definitions) {
  if (kind == VectorKind::kSentences) return sentence_vectors(vectors, texts);
  if (kind == VectorKind::kStates) return state_vectors(vectors, texts);
  if (kind == VectorKind::kDefinitions) return definition_vectors(vectors, texts, definitions);
  return whole_vectors(vectors, texts, kind);
}

/// Whatever may change the numbers beyond rounding.
std::string identity_of(const EmbedderCard& card, VectorKind kind, const ValueDefinitions& definitions) {
  auto identity =
      fmt::format("{} ({}, {} pooling, layer {})", card.identity.hex(), card.architecture, card.pooling, card.layer);
  if (kind == VectorKind::kDefinitions) identity += fmt::format(", definitions {}", definitions.digest().hex());
  return identity;
}

}  // namespace

Result<std::optional<VectorSource>> parse_vector_source(std::string_view id) {
  for (const auto& [name, kind] : kShortNames) {
    if (id == name) return VectorSource{kind, std::string(kUsual), 0};
  }
  const auto found = std::ranges::find_if(kKinds, [id](const auto& kind) { return id.starts_with(kind.prefix); });
  if (found == kKinds.end()) return std::nullopt;
  VectorSource source{found->kind, std::string(id.substr(found->prefix.size())), 0};
  if (source.kind == VectorKind::kStates) {
    VALENCE_CHECK(take_layer(id, source));
  }
  if (source.model.empty()) return fail(ErrorCode::kUsage, "features {}: name a model, as in vectors:minilm", id);
  return source;
}

Result<TextEmbedding> vector_embedding(std::string_view id, const VectorSource& source,
                                       std::shared_ptr<Embedder> embedder, const VectorOptions& options,
                                       const ValueDefinitions& definitions) {
  const auto& card = embedder->card();
  TextEmbedding embedding;
  embedding.id = id;
  embedding.help = help_of(source.kind);
  embedding.identity = identity_of(card, source.kind, definitions);
  embedding.width = width_of(source.kind, card.dimensions, definitions.values.size());
  embedding.embed = [kind = source.kind, definitions,
                     vectors = std::make_shared<Remembered>(std::move(embedder), options)](
                        std::span<const PromptedText> texts) { return vectors_of(kind, *vectors, texts, definitions); };
  return embedding;
}

}  // namespace valence
