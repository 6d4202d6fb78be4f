#include "valence/evaluate/features.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace valence {
namespace {

std::shared_ptr<const FeatureFamily> family(std::string_view id) {
  return find_family(text_feature_families().value(), id).value();
}

std::vector<PromptedText> three_texts() {
  return {{"Tell me.", "Be honest."}, {"Tell him.", "Be honest!"}, {"", "Zebra"}};
}

std::vector<std::string> columns(const FeatureMap& map) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < map.columns(); ++c) names.push_back(map.column_name(c));
  return names;
}

TEST(Tfidf, KeepsTermsOfTwoTextsAndPairsWithinPromptOrResponse) {
  const auto map = family("tfidf")->fit(three_texts()).value();
  EXPECT_EQ(columns(*map), (std::vector<std::string>{"be", "be honest", "honest", "tell"}));
}

// All four terms occur in two of three texts: equal weights of 1/2. "be be": be twice.
TEST(Tfidf, RowsHaveLengthOne) {
  const auto map = family("tfidf")->fit(three_texts()).value();
  const auto matrix = map->apply(three_texts()).value();
  ASSERT_EQ(matrix.rows, 3u);
  EXPECT_EQ(matrix.starts, (std::vector<std::size_t>{0, 4, 8, 8}));  // nothing known about a zebra
  for (const auto value : matrix.value) EXPECT_NEAR(value, 0.5, 1e-6);
  const auto twice = map->apply(std::array{PromptedText{"", "be tell be"}}).value();
  EXPECT_NEAR(twice.value[0] / twice.value[1], 2.0, 1e-6);
}

TEST(Tfidf, RareTermsWeighMore) {
  const std::vector<PromptedText> texts = {{"", "a b"}, {"", "a b"}, {"", "a c"}, {"", "a c"}, {"", "a"}};
  const auto map = family("tfidf_response")->fit(texts).value();
  const auto row = map->apply(std::array{PromptedText{"", "a. b"}}).value();
  // Columns "a", "a b", "a c", "b", "c"; the sentence end does not part a pair.
  ASSERT_EQ(row.column, (std::vector<std::uint32_t>{0, 1, 3}));
  EXPECT_NEAR(row.value[2] / row.value[0], std::log(6.0 / 3.0) + 1.0, 1e-5);  // idf of "a" is 1
}

TEST(Tfidf, LooksAtItsPartOnly) {
  EXPECT_EQ(columns(*family("tfidf_prompt")->fit(three_texts()).value()), std::vector<std::string>{"tell"});
  EXPECT_EQ(columns(*family("tfidf_response")->fit(three_texts()).value()),
            (std::vector<std::string>{"be", "be honest", "honest"}));
}

TEST(Tfidf, NeedsAWordThatTwoTextsShare) {
  const std::vector<PromptedText> texts = {{"", "a"}, {"", "b"}};
  EXPECT_EQ(family("tfidf")->fit(texts).error().message, "features tfidf: no word occurs in 2 of the 2 training texts");
}

TEST(Tfidf, StateGivesTheSameFeaturesBack) {
  const auto map = family("tfidf")->fit(three_texts()).value();
  const auto again = family("tfidf")->restore(map->state()).value();
  EXPECT_EQ(again->apply(three_texts()).value().value, map->apply(three_texts()).value().value);
}

TEST(Tfidf, ForeignStatesAreChecked) {
  const auto message = [](const Json& state) { return family("tfidf")->restore(state).error().message; };
  EXPECT_EQ(message({{"terms", {"b", "a"}}, {"idf", {1.0, 1.0}}}), "\"terms\" are not in increasing order at entry 1");
  EXPECT_EQ(message({{"terms", {"a"}}, {"idf", {1.0, 1.0}}}), "\"idf\" is missing or not an array of 1 numbers");
  EXPECT_EQ(message({{"terms", {1}}}), "\"terms\" is missing or not an array of texts");
  EXPECT_EQ(message(Json::array()), "\"terms\" is missing or not an array of texts");
}

TEST(Families, UnknownOnesSuggestTheNearest) {
  EXPECT_EQ(find_family(text_feature_families().value(), "tfid").error().message,
            "no features are called \"tfid\"; did you mean \"tfidf\"?");
  EXPECT_EQ(find_family(text_feature_families().value(), "minilm").error().message,
            "no features are called \"minilm\"; there are tfidf, tfidf_prompt, tfidf_response, dictionary");
}

TEST(Blocks, StandBesideEachOther) {
  const auto left = dense_features(2, 2, std::array{1.0F, 2.0F, 3.0F, 4.0F}).value();
  FeatureMatrix right;
  right.columns = 3;
  right.add_row(std::array<std::uint32_t, 1>{2}, std::array{5.0F});
  right.add_row({}, {});
  const auto both = beside(std::array{left, right});
  EXPECT_EQ(both.columns, 5u);
  EXPECT_EQ(both.column, (std::vector<std::uint32_t>{0, 1, 4, 0, 1}));
  EXPECT_EQ(both.rows_of(std::array<std::size_t, 1>{1}).value, (std::vector<float>{3.0F, 4.0F}));
}

TEST(Blocks, NumbersMustBeThereAndFinite) {
  EXPECT_EQ(dense_features(2, 2, std::array{1.0F}).error().message, "2 rows of 2 features are 4 numbers, got 1");
  EXPECT_EQ(dense_features(1, 2, std::array{1.0F, NAN}).error().message, "feature 1 of text 0 is not a number");
}

/// Length of prompt and of response, and a number that never varies.
TextEmbedding lengths(std::string identity = "lengths v1") {
  return {
      "lengths", "lengths", std::move(identity), 3,
      [](std::span<const PromptedText> texts) -> Result<std::vector<float>> {
        std::vector<float> values;
        for (const auto& [prompt, response] : texts) {
          values.insert(values.end(), {static_cast<float>(prompt.size()), static_cast<float>(response.size()), 7.0F});
        }
        return values;
      }};
}

TEST(Embedding, IsStandardisedByTheTrainingTexts) {
  const auto plug = embedding_family(lengths());
  const std::vector<PromptedText> texts = {{"a", "bb"}, {"aaa", "bb"}};
  const auto map = plug->fit(texts).value();
  const auto matrix = map->apply(std::array{PromptedText{"aaa", "bbb"}}).value();
  EXPECT_NEAR(matrix.value[0], 1.0 / std::sqrt(3.0), 1e-6);  // mean 2, deviation 1, width 3
  EXPECT_EQ(matrix.value[1], 0.0F);                          // never varied in training
  EXPECT_EQ(matrix.value[2], 0.0F);
}

TEST(Embedding, AnotherModelIsRefused) {
  const std::vector<PromptedText> texts = {{"a", "bb"}, {"aaa", "bb"}};
  const auto state = embedding_family(lengths())->fit(texts).value()->state();
  EXPECT_TRUE(embedding_family(lengths())->restore(state));
  EXPECT_EQ(embedding_family(lengths("lengths v2"))->restore(state).error().message,
            "the evaluator was trained on vectors of lengths v1, these are of lengths v2");
}

TEST(Embedding, TooFewNumbersAreRefused) {
  auto broken = lengths();
  broken.width = 4;
  const std::vector<PromptedText> texts = {{"a", "bb"}, {"aaa", "bb"}};
  EXPECT_EQ(embedding_family(broken)->fit(texts).error().message,
            "features lengths: 2 texts gave 6 numbers, expected 4 each");
}

}  // namespace
}  // namespace valence
