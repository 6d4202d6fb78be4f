#include "llama_sample.h"

#include <json-schema-to-grammar.h>
#include <json.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "llama_backend.h"
#include "valence/base/random.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

TokenId most_probable(std::span<const float> logits) {
  return static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin());
}

/// The smallest set of most probable tokens that holds `top_p` of the weight; ties in order of id.
std::vector<Candidate> nucleus(std::vector<Candidate> all, double top_p) {
  double total = 0;
  for (const auto& candidate : all) total += candidate.weight;
  const auto before = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
  };
  // Sorting a few hundred is nearly always enough.
  for (std::size_t sorted = std::min<std::size_t>(256, all.size());; sorted = std::min(all.size(), sorted * 8)) {
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(sorted), all.end(), before);
    double sum = 0;
    for (std::size_t i = 0; i < sorted; ++i) {
      sum += all[i].weight;
      if (sum < top_p * total && i + 1 < all.size()) continue;
      all.resize(i + 1);
      return all;
    }
  }
}

TokenId pick(const std::vector<Candidate>& kept, double uniform) {
  double total = 0;
  for (const auto& candidate : kept) total += candidate.weight;
  double left = uniform * total;
  for (const auto& candidate : kept) {
    left -= candidate.weight;
    if (left < 0) return candidate.token;
  }
  return kept.back().token;
}

/// How many bytes a UTF-8 sequence that begins with `byte` has; 0 for a byte that begins none.
std::size_t sequence_length(unsigned char byte) {
  if (byte < 0x80) return 1;
  if (byte >= 0xC2 && byte < 0xE0) return 2;
  if (byte >= 0xE0 && byte < 0xF0) return 3;
  return byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
}

}  // namespace

Result<std::string> grammar_of(const Constraint& constraint) {
  if (constraint.kind == Constraint::Kind::kNone) return std::string();
  if (constraint.kind == Constraint::Kind::kGrammar) return constraint.text;
  try {
    return json_schema_to_grammar(common_json::parse(constraint.text), /*force_gbnf=*/true);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUsage, "the JSON schema cannot be made a grammar: {}",
                trim(printable(std::string_view(error.what()).substr(0, 300))));
  }
}

Result<llama_sampler_ptr> parse_grammar(const Vocabulary& vocabulary, const std::string& gbnf) {
  const CapturedStderr complaint;
  take_engine_errors();
  try {
    llama_sampler_ptr grammar(gbnf.empty() ? nullptr : llama_sampler_init_grammar(vocabulary.get(), gbnf.c_str(), "root"));
    if (grammar) return grammar;
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUsage, "the grammar is not GBNF with a rule \"root\": {}", trim(printable(error.what())));
  }
  const auto said = join({complaint.text(), take_engine_errors()}, " ");
  return fail(ErrorCode::kUsage, "the grammar is not GBNF with a rule \"root\": {}", trim(said));
}

std::vector<Candidate> candidates(std::span<const float> logits, const Sampling& sampling) {
  const auto best = most_probable(logits);
  if (sampling.temperature <= 0) return {{best, 1.0}};
  const auto largest = static_cast<double>(logits[static_cast<std::size_t>(best)]);
  std::vector<Candidate> all;
  all.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto weight = std::exp((static_cast<double>(logits[i]) - largest) / sampling.temperature);
    if (weight > 0) all.push_back({static_cast<TokenId>(i), weight});
  }
  return sampling.top_p < 1 ? nucleus(std::move(all), sampling.top_p) : all;
}

Result<TokenSampler> TokenSampler::make(const Vocabulary& vocabulary, const Sampling& sampling,
                                        const Constraint& constraint) {
  TokenSampler sampler(vocabulary, sampling);
  if (constraint.kind == Constraint::Kind::kNone) return sampler;
  VALENCE_TRY(const auto gbnf, grammar_of(constraint));
  VALENCE_TRY(sampler.grammar_, parse_grammar(vocabulary, gbnf));
  return sampler;
}

bool TokenSampler::allows(TokenId token) const {
  llama_token_data datum{token, 0.0F, 0.0F};
  llama_token_data_array array{&datum, 1, -1, false};
  llama_sampler_apply(grammar_.get(), &array);
  return datum.logit != kForbidden;
}

std::vector<float> TokenSampler::allowed_only(std::span<const float> logits) const {
  std::vector<llama_token_data> data(logits.size());
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = {static_cast<TokenId>(i), logits[i], 0.0F};
  llama_token_data_array array{data.data(), data.size(), -1, false};
  llama_sampler_apply(grammar_.get(), &array);
  std::vector<float> allowed(logits.size(), kForbidden);
  for (const auto& datum : std::span(array.data, array.size)) allowed[static_cast<std::size_t>(datum.id)] = datum.logit;
  return allowed;
}

/// Checking a grammar against the whole vocabulary is slow, so the token is drawn without it first. If the grammar
/// allows it, it stands: drawing x with p(x), and on refusal from p restricted to the allowed, gives x the probability
/// p(x) + p(refused) p(x) / p(allowed) = p(x) / p(allowed). That needs an untruncated p, so with a nucleus the grammar
/// always goes first.
Result<TokenId> TokenSampler::draw(std::span<const float> logits, std::size_t index) {
  RandomStream random(sampling_.seed, "generate", index);
  const bool truncated = sampling_.temperature > 0 && sampling_.top_p < 1;
  TokenId token = -1;
  if (!grammar_ || !truncated) token = pick(candidates(logits, sampling_), random.uniform());
  if (!grammar_) return token;
  try {
    if (token < 0 || !allows(token)) {
      const auto allowed = allowed_only(logits);
      if (*std::ranges::max_element(allowed) == kForbidden) {
        return fail(ErrorCode::kModel, "the grammar allows no token of this vocabulary at token {} of the answer", index);
      }
      token = pick(candidates(allowed, sampling_), random.uniform());
    }
    if (!vocabulary_->ends(token)) llama_sampler_accept(grammar_.get(), token);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kModel, "llama.cpp could not follow the grammar at token {} of the answer: {}", index, error.what());
  }
  return token;
}

bool GrowingText::append(std::string_view piece) {
  const auto before = bytes_.size();
  bytes_ += piece;
  auto earliest = std::string::npos;
  for (const auto& stop : stop_) {
    if (stop.empty()) continue;
    const auto from = before >= stop.size() ? before - stop.size() + 1 : 0;
    earliest = std::min(earliest, bytes_.find(stop, from));
  }
  if (earliest == std::string::npos) return false;
  bytes_.resize(earliest);
  return true;
}

std::string GrowingText::finish() const {
  std::string text;
  std::string_view rest = bytes_;
  while (!rest.empty()) {
    const auto valid = valid_utf8_prefix(rest);
    text += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty() || sequence_length(static_cast<unsigned char>(rest.front())) > rest.size()) break;
    text += "\xEF\xBF\xBD";
    rest.remove_prefix(1);
  }
  return text;
}

}  // namespace valence
