#include "valence/evaluate/dictionary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "dictionary_features.h"
#include "state.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/segment.h"
#include "valence/base/text.h"

namespace valence {
namespace {

class DictionaryMap : public FeatureMap {
 public:
  DictionaryMap(ValueDictionary dictionary, std::vector<std::string> dimensions)
      : dictionary_(std::move(dictionary)), dimensions_(std::move(dimensions)) {}

  std::size_t columns() const override { return 2 * dictionary_.dims; }

  std::string column_name(std::size_t column) const override {
    return fmt::format("word for {} in the {}", dimensions_[column % dictionary_.dims],
                       column < dictionary_.dims ? "prompt" : "response");
  }

  Json state() const override { return {{"words", dictionary_.words.size()}}; }

  Result<FeatureMatrix> apply(std::span<const PromptedText> texts) const override {
    FeatureMatrix matrix;
    matrix.columns = columns();
    for (const auto& text : texts) {
      auto hits = dictionary_.hits(text.prompt);
      const auto more = dictionary_.hits(text.response);
      hits.insert(hits.end(), more.begin(), more.end());
      add_hits(hits, matrix);
    }
    return matrix;
  }

 private:
  void add_hits(const std::vector<std::size_t>& hits, FeatureMatrix& matrix) const {
    std::vector<std::uint32_t> where;
    for (std::size_t c = 0; c < hits.size(); ++c) {
      if (hits[c] > 0) where.push_back(static_cast<std::uint32_t>(c));
    }
    matrix.add_row(where, std::vector<float>(where.size(), 1.0F / std::sqrt(static_cast<float>(columns()))));
  }

  ValueDictionary dictionary_;
  std::vector<std::string> dimensions_;
};

class DictionaryFamily : public FeatureFamily {
 public:
  DictionaryFamily(ValueDictionary dictionary, std::vector<std::string> dimensions)
      : dictionary_(std::move(dictionary)), dimensions_(std::move(dimensions)) {}

  std::string id() const override { return "dictionary"; }
  std::string help() const override {
    return "words that stand for one of ten values, in the prompt and in the response";
  }

  Result<std::unique_ptr<FeatureMap>> fit(std::span<const PromptedText>) const override {
    return std::make_unique<DictionaryMap>(dictionary_, dimensions_);
  }

  Result<std::unique_ptr<FeatureMap>> restore(const Json& state) const override {
    VALENCE_TRY(const auto count, state_count(state, "words"));
    if (count == dictionary_.words.size()) return std::make_unique<DictionaryMap>(dictionary_, dimensions_);
    return fail(ErrorCode::kMismatch, "the evaluator was trained with a dictionary of {} words, this one has {}", count,
                dictionary_.words.size());
  }

 private:
  ValueDictionary dictionary_;
  std::vector<std::string> dimensions_;
};

}  // namespace

std::vector<std::size_t> ValueDictionary::hits(std::string_view text) const {
  std::vector<std::size_t> counts(dims, 0);
  const auto bare = fold(without_punctuation(text));
  for (const auto word : split_at_space(bare)) {
    const auto found = words.find(std::string(word));
    if (found == words.end()) continue;
    for (const auto dimension : found->second) ++counts[dimension];
  }
  return counts;
}

Result<ValueDictionary> read_dictionary(const std::filesystem::path& path, const DimensionNames& names) {
  VALENCE_TRY(const auto text, read_file(path));
  VALENCE_TRY(const auto document, parse_json_node(text, path.string()));
  VALENCE_TRY(const auto lists, document.as_table());
  ValueDictionary dictionary;
  dictionary.dims = names.size();
  for (const auto& [name, list] : lists) {
    VALENCE_TRY(const auto dimension, names.at(name));
    VALENCE_TRY(const auto entries, list.as_strings());
    for (const auto& word : entries) {
      auto& dimensions = dictionary.words[fold(word)];
      if (std::find(dimensions.begin(), dimensions.end(), dimension) == dimensions.end())
        dimensions.push_back(dimension);
    }
  }
  return dictionary;
}

Result<ValueDictionary> english_dictionary(const DimensionNames& names) {
  VALENCE_TRY(const auto data, data_folder());
  return read_dictionary(data / "evaluate" / "dictionary_en.json", names);
}

Result<std::shared_ptr<const FeatureFamily>> dictionary_family() {
  VALENCE_TRY(const auto space, load_space("schwartz10"));
  VALENCE_TRY(const auto names, dimension_names(space));
  VALENCE_TRY(auto dictionary, english_dictionary(names));
  return std::make_shared<DictionaryFamily>(std::move(dictionary), names.dimensions);
}

}  // namespace valence
