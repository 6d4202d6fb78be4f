#include "tfidf.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "state.h"
#include "valence/base/segment.h"

namespace valence {
namespace {

constexpr std::size_t kMinDocuments = 2;

using Terms = std::map<std::string, float>;  // in order, so that columns do not depend on hashing

void count_terms(std::string_view text, Terms& terms) {
  std::string previous;
  for (auto& word : words(text)) {
    terms[word] += 1.0F;
    if (!previous.empty()) terms[previous + ' ' + word] += 1.0F;
    previous = std::move(word);
  }
}

Terms terms_of(const PromptedText& text, TfidfText part) {
  Terms terms;
  if (part != TfidfText::kResponse) count_terms(text.prompt, terms);
  if (part != TfidfText::kPrompt) count_terms(text.response, terms);
  return terms;
}

class TfidfMap : public FeatureMap {
 public:
  TfidfMap(TfidfText part, std::vector<std::string> terms, std::vector<float> idf)
      : part_(part), terms_(std::move(terms)), idf_(std::move(idf)) {
    for (std::size_t i = 0; i < terms_.size(); ++i) index_.emplace(terms_[i], static_cast<std::uint32_t>(i));
  }

  std::size_t columns() const override { return terms_.size(); }
  std::string column_name(std::size_t column) const override { return terms_[column]; }
  Json state() const override { return {{"terms", terms_}, {"idf", idf_}}; }

  Result<FeatureMatrix> apply(std::span<const PromptedText> texts) const override {
    FeatureMatrix matrix;
    matrix.columns = columns();
    for (const auto& text : texts) add_text(text, matrix);
    return matrix;
  }

 private:
  void add_text(const PromptedText& text, FeatureMatrix& matrix) const {
    std::vector<std::uint32_t> columns;
    std::vector<float> values;
    float squares = 0.0F;
    for (const auto& [term, count] : terms_of(text, part_)) {
      const auto known = index_.find(term);
      if (known == index_.end()) continue;
      columns.push_back(known->second);
      values.push_back(count * idf_[known->second]);
      squares += values.back() * values.back();
    }
    for (auto& value : values) value /= std::sqrt(squares);
    matrix.add_row(columns, values);
  }

  TfidfText part_;
  std::vector<std::string> terms_;
  std::vector<float> idf_;
  std::unordered_map<std::string_view, std::uint32_t> index_;  // into terms_, which is never moved
};

class TfidfFamily : public FeatureFamily {
 public:
  explicit TfidfFamily(TfidfText part) : part_(part) {}

  std::string id() const override {
    return part_ == TfidfText::kDialogue ? "tfidf" : part_ == TfidfText::kPrompt ? "tfidf_prompt" : "tfidf_response";
  }

  std::string help() const override {
    return fmt::format("words and word pairs of the {}, tf-idf", part_ == TfidfText::kDialogue
                                                                     ? "prompt and the response together"
                                                                 : part_ == TfidfText::kPrompt ? "prompt"
                                                                                               : "response");
  }

  Result<std::unique_ptr<FeatureMap>> fit(std::span<const PromptedText> texts) const override {
    std::map<std::string, std::size_t> documents;
    for (const auto& text : texts) {
      for (const auto& term : terms_of(text, part_)) ++documents[term.first];
    }
    std::vector<std::string> terms;
    std::vector<float> idf;
    for (const auto& [term, count] : documents) {
      if (count < kMinDocuments) continue;
      terms.push_back(term);
      idf.push_back(
          static_cast<float>(std::log(static_cast<double>(1 + texts.size()) / static_cast<double>(1 + count)) + 1.0));
    }
    if (terms.empty()) {
      return fail(ErrorCode::kInvalid, "features {}: no word occurs in {} of the {} training texts", id(),
                  kMinDocuments, texts.size());
    }
    return std::make_unique<TfidfMap>(part_, std::move(terms), std::move(idf));
  }

  Result<std::unique_ptr<FeatureMap>> restore(const Json& state) const override {
    VALENCE_TRY(auto terms, state_strings(state, "terms"));
    VALENCE_TRY(auto idf, state_floats(state, "idf", terms.size()));
    for (std::size_t i = 1; i < terms.size(); ++i) {
      if (terms[i - 1] >= terms[i])
        return fail(ErrorCode::kCorrupt, "\"terms\" are not in increasing order at entry {}", i);
    }
    return std::make_unique<TfidfMap>(part_, std::move(terms), std::move(idf));
  }

 private:
  TfidfText part_;
};

}  // namespace

std::shared_ptr<const FeatureFamily> tfidf_family(TfidfText text) { return std::make_shared<TfidfFamily>(text); }

}  // namespace valence
