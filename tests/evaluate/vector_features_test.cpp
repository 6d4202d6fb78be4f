#include "valence/evaluate/vector_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace valence {
namespace {

using ::testing::HasSubstr;

/// One token per byte. A vector is (mean byte, number of tokens) over the spans; counts what it computes.
class CountingEmbedder : public Embedder {
 public:
  explicit CountingEmbedder(std::size_t limit = 1000) {
    card_.name = "counting";
    card_.architecture = "toy";
    card_.dimensions = 2;
    card_.token_limit = limit;
    card_.pooling = "mean";
  }

  const EmbedderCard& card() const override { return card_; }

  Result<EmbedPlan> plan(std::span<const EmbedRequest> requests) const override {
    EmbedPlan plan;
    for (const auto& request : requests) {
      EmbedItem item{request.tokens, request.spans, false};
      if (item.tokens.empty()) item.tokens.assign(request.text.begin(), request.text.end());
      if (item.spans.empty()) item.spans = {{0, item.tokens.size()}};
      for (auto& span : item.spans) span.end = std::min(span.end, item.tokens.size());
      plan.groups.push_back({{}, {plan.items.size()}, item.tokens.size()});
      plan.items.push_back(std::move(item));
    }
    return plan;
  }

  Result<void> run(const EmbedPlan& plan, std::span<const std::size_t> missing, EmbedSink& sink,
                   const RunControl&) override {
    for (const auto group : missing) {
      ++computed;
      last = plan.items[group];
      const auto span = last.spans.front();
      const auto from = last.tokens.begin() + static_cast<std::ptrdiff_t>(span.begin);
      const auto to = last.tokens.begin() + static_cast<std::ptrdiff_t>(span.end);
      const auto count = static_cast<float>(to - from);
      const Embedding one{{std::accumulate(from, to, 0.0F) / count, count}, last.tokens.size(), false};
      VALENCE_CHECK(sink.done(group, std::span(&one, 1)));
    }
    return {};
  }

  std::size_t computed = 0;
  EmbedItem last;

 private:
  EmbedderCard card_;
};

std::vector<float> vectors(VectorKind kind, const std::vector<PromptedText>& texts, std::shared_ptr<Embedder> embedder,
                           const ValueDefinitions& definitions = {}) {
  const auto embedding = vector_embedding("x", {kind, "counting", 0}, std::move(embedder), {}, definitions).value();
  auto values = embedding.embed(texts).value();
  EXPECT_EQ(values.size(), texts.size() * embedding.width);
  return values;
}

TEST(VectorSource, NamesAreRead) {
  const auto source = [](std::string_view id) { return parse_vector_source(id).value(); };
  EXPECT_EQ(source("minilm"), (VectorSource{VectorKind::kBoth, "minilm", 0}));
  EXPECT_EQ(source("minilm_sentences"), (VectorSource{VectorKind::kSentences, "minilm", 0}));
  EXPECT_EQ(source("vectors_prompt:/models/a.gguf"), (VectorSource{VectorKind::kPrompt, "/models/a.gguf", 0}));
  EXPECT_EQ(source("states:smollm2@15"), (VectorSource{VectorKind::kStates, "smollm2", 15}));
  EXPECT_EQ(source("definitions"), (VectorSource{VectorKind::kDefinitions, "minilm", 0}));
  EXPECT_EQ(source("tfidf"), std::nullopt);
}

TEST(VectorSource, StatesNeedABlock) {
  for (const auto* id : {"states:smollm2", "states:smollm2@", "states:smollm2@0", "states:smollm2@x", "states:@3"}) {
    EXPECT_EQ(parse_vector_source(id).error().message,
              "features " + std::string(id) + ": say which block's states, from 1, as in states:smollm2@15");
  }
  EXPECT_EQ(parse_vector_source("vectors:").error().message, "features vectors:: name a model, as in vectors:minilm");
}

TEST(VectorFeatures, PromptAndResponseStandBesideEachOther) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  EXPECT_EQ(vectors(VectorKind::kBoth, {{"aa", "bbb"}}, embedder), (std::vector<float>{97, 2, 98, 3}));
  EXPECT_EQ(vectors(VectorKind::kPrompt, {{"aa", "bbb"}}, embedder), (std::vector<float>{97, 2}));
  EXPECT_EQ(vectors(VectorKind::kResponse, {{"aa", "bbb"}}, embedder), (std::vector<float>{98, 3}));
}

TEST(VectorFeatures, EveryTextIsComputedOnce) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  const auto embedding = vector_embedding("x", {VectorKind::kResponse, "counting", 0}, embedder, {}).value();
  const std::vector<PromptedText> texts = {{"", "a"}, {"", "b"}, {"", "a"}};
  const auto first = embedding.embed(texts).value();
  EXPECT_EQ(embedder->computed, 2u);
  EXPECT_EQ(embedding.embed(texts).value(), first);
  EXPECT_EQ(embedding.embed(std::array{texts[1]}).value(), (std::vector<float>{98, 1}));
  EXPECT_EQ(embedder->computed, 2u);
}

TEST(VectorFeatures, SentencesGiveTheirMeanAndTheirGreatest) {
  const auto values = vectors(VectorKind::kSentences, {{"", "Aa. Bbbb."}}, std::make_shared<CountingEmbedder>());
  ASSERT_EQ(values.size(), 4u);
  EXPECT_FLOAT_EQ(values[1], 4.0F);  // "Aa." and "Bbbb."
  EXPECT_FLOAT_EQ(values[3], 5.0F);
  EXPECT_GT(values[2], values[0]);
}

TEST(VectorFeatures, AResponseWithoutASentenceHasAVectorToo) {
  EXPECT_EQ(vectors(VectorKind::kSentences, {{"why?", ""}}, std::make_shared<CountingEmbedder>()),
            (std::vector<float>{32, 1, 32, 1}));
}

// "Human: q\nBob:" are 13 tokens here; the response's are those after them.
TEST(VectorFeatures, StatesAreAveragedOverTheResponseAlone) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  EXPECT_EQ(vectors(VectorKind::kStates, {{"q", "aaa"}}, embedder), (std::vector<float>{(32 + 3 * 97) / 4.0F, 4}));
  EXPECT_EQ(embedder->last.spans.front().begin, 13u);
  EXPECT_EQ(embedder->last.tokens.size(), 17u);
}

TEST(VectorFeatures, ALongPromptLeavesTheResponseItsHalf) {
  const auto embedder = std::make_shared<CountingEmbedder>(20);
  vectors(VectorKind::kStates, {{std::string(50, 'p'), std::string(50, 'r')}}, embedder);
  EXPECT_EQ(embedder->last.tokens.size(), 20u);
  EXPECT_EQ(embedder->last.spans.front().begin, 10u);
  EXPECT_EQ(embedder->last.tokens.front(), 'p');  // the prompt's beginning went
  EXPECT_EQ(embedder->last.tokens[9], ':');
  EXPECT_EQ(embedder->last.tokens.back(), 'r');
  vectors(VectorKind::kStates, {{std::string(50, 'p'), "r"}}, embedder);
  EXPECT_EQ(embedder->last.spans.front().begin, 18u);  // a short response leaves the prompt more
}

TEST(VectorFeatures, DefinitionsGiveSixLikenessesPerValue) {
  const ValueDefinitions definitions{"toy", {{"a", "aaaa", {"aa"}, {"b"}}, {"b", "bb", {"b"}, {"aa"}}}};
  const auto values =
      vectors(VectorKind::kDefinitions, {{"p", "aaaa"}}, std::make_shared<CountingEmbedder>(), definitions);
  ASSERT_EQ(values.size(), 12u);
  EXPECT_FLOAT_EQ(values[1], 1.0F);  // the response is the definition of "a"
  EXPECT_LT(values[7], 1.0F);        // and not that of "b"
}

TEST(VectorFeatures, IdentityKnowsModelAndDefinitions) {
  const auto identity = [](VectorKind kind, const ValueDefinitions& definitions) {
    return vector_embedding("x", {kind, "m", 0}, std::make_shared<CountingEmbedder>(), {}, definitions)
        .value()
        .identity;
  };
  const ValueDefinitions one{"toy", {{"a", "aaaa", {"aa"}, {"b"}}}}, other{"toy", {{"a", "aaab", {"aa"}, {"b"}}}};
  EXPECT_EQ(identity(VectorKind::kBoth, one), identity(VectorKind::kBoth, other));
  EXPECT_NE(identity(VectorKind::kDefinitions, one), identity(VectorKind::kDefinitions, other));
}

TEST(OpenFamilies, WordsNeedNoModelAndUnknownNamesAreNamed) {
  const std::array words{std::string("tfidf"), std::string("dictionary")};
  EXPECT_EQ(open_feature_families(words, "schwartz10").value().size(), 2u);
  const std::array typo{std::string("tfdif")};
  EXPECT_EQ(open_feature_families(typo, "schwartz10").error().message,
            "no features are called \"tfdif\"; did you mean \"tfidf\"?");
  const std::array absent{std::string("vectors:no_such_model")};
  EXPECT_THAT(open_feature_families(absent, "schwartz10").error().message,
              HasSubstr("features vectors:no_such_model: "));
}

}  // namespace
}  // namespace valence
