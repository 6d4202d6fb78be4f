#include "valence/model/embedder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "embed_tokens.h"
#include "llama_weights.h"
#include "model/llama_tiny.h"
#include "model/tiny_bert.h"
#include "valence/base/files.h"
#include "valence/model/convert.h"

namespace valence::test {
namespace {

EmbedderSpec spec_of(std::size_t layer = 0, bool scaled = true) {
  EmbedderSpec spec;
  spec.name = "tiny";
  spec.engine = exact_options();
  spec.layer = layer;
  spec.normalise = scaled;
  return spec;
}

std::unique_ptr<Embedder> opened(const std::filesystem::path& path, const EmbedderSpec& spec = spec_of()) {
  auto embedder = open_llama_embedder(spec, path);
  if (!embedder) throw std::runtime_error(embedder.error().message);
  return *std::move(embedder);
}

EmbeddingTable embedded(Embedder& embedder, const std::vector<std::string>& texts) {
  auto table = embed(embedder, texts);
  if (!table) throw std::runtime_error(table.error().message);
  return *std::move(table);
}

EmbeddingTable embedded(Embedder& embedder, const std::vector<EmbedRequest>& requests) {
  auto table = embed(embedder, requests);
  if (!table) throw std::runtime_error(table.error().message);
  return *std::move(table);
}

template <class A, class B>
double cosine(const A& a, const B& b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    dot += x * y, aa += x * x, bb += y * y;
  }
  return dot / std::sqrt(aa * bb);
}

double largest_gap(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

double length(std::span<const float> a) {
  return std::sqrt(std::accumulate(a.begin(), a.end(), 0.0, [](double sum, float x) { return sum + static_cast<double>(x) * static_cast<double>(x); }));
}

// ---- encoders

class EncoderEmbedder : public ::testing::Test {
 protected:
  void make(const TinyBert& bert, const std::string& format = "f32") {
    write_bert_folder(bert, folder_ / "bert");
    const auto made = convert_bert(folder_ / "bert", path_, {.format = format});
    ASSERT_TRUE(made) << made.error().message;
  }
  std::vector<TokenId> tokens(Embedder& embedder, const std::string& text) {
    const EmbedRequest request{text, {}, {}};
    return embedder.plan(std::span(&request, 1))->items.front().tokens;
  }

  ScratchCache cache_;
  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "bert.gguf";
};

const std::vector<std::string> kTexts{"Honesty", "people lies.", "dishonest, people", "", "诚实 café", "unun", "zebra"};

TEST_F(EncoderEmbedder, TextsAreCutIntoPieces) {
  make({});
  const auto embedder = opened(path_);
  EXPECT_EQ(tokens(*embedder, "Honesty lies."), (std::vector<TokenId>{2, 5, 6, 10, 11, 12, 3}));
  EXPECT_EQ(tokens(*embedder, "DISHONEST"), (std::vector<TokenId>{2, 7, 8, 3}));
  EXPECT_EQ(tokens(*embedder, "诚实Café"), (std::vector<TokenId>{2, 17, 18, 19, 3}));
  EXPECT_EQ(tokens(*embedder, "honestx people"), (std::vector<TokenId>{2, 1, 9, 3}));
  EXPECT_EQ(tokens(*embedder, ""), (std::vector<TokenId>{2, 3}));
  EXPECT_EQ(tokens(*embedder, "[MASK]"), (std::vector<TokenId>{2, 14, 16, 15, 3}));  // typed control strings stay text
}

TEST_F(EncoderEmbedder, AWordOfMoreThanAHundredCharactersIsUnknown) {
  TinyBert bert;
  bert.positions = bert.max_tokens = 128;
  make(bert);
  const auto embedder = opened(path_);
  EXPECT_EQ(tokens(*embedder, std::string(100, 'a')).size(), 102U);
  EXPECT_EQ(tokens(*embedder, std::string(101, 'a')), (std::vector<TokenId>{2, 1, 3}));
}

TEST_F(EncoderEmbedder, MeanVectorsAreThoseOfTheTextbook) {
  make({});
  const auto embedder = opened(path_);
  const auto table = embedded(*embedder, kTexts);
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    const auto states = bert_states({}, tokens(*embedder, kTexts[i]));
    std::vector<double> mean(32, 0.0);
    for (std::size_t k = 0; k < states.size(); ++k) mean[k % 32] += states[k];
    EXPECT_GT(cosine(table.row(i), mean), 0.99999) << kTexts[i];
    EXPECT_NEAR(length(table.row(i)), 1.0, 1e-6);
  }
}

TEST_F(EncoderEmbedder, ClsVectorsAreTheFirstStates) {
  TinyBert bert;
  bert.pooling = "cls";
  make(bert);
  const auto embedder = opened(path_);
  EXPECT_EQ(embedder->card().pooling, "cls");
  const auto table = embedded(*embedder, kTexts);
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    auto states = bert_states(bert, tokens(*embedder, kTexts[i]));
    states.resize(32);
    EXPECT_GT(cosine(table.row(i), states), 0.99999) << kTexts[i];
  }
}

TEST_F(EncoderEmbedder, HalfPrecisionMatricesComeNear) {
  make({}, "f16");
  const auto half = embedded(*opened(path_), kTexts);
  make({}, "f32");
  const auto full = embedded(*opened(path_), kTexts);
  for (std::size_t i = 0; i < kTexts.size(); ++i) EXPECT_GT(cosine(half.row(i), full.row(i)), 0.9999) << kTexts[i];
}

TEST_F(EncoderEmbedder, TheCardSaysWhatChangesVectors) {
  make({});
  const auto embedder = opened(path_);
  const auto& card = embedder->card();
  EXPECT_EQ(card.architecture, "bert");
  EXPECT_EQ(card.dimensions, 32U);
  EXPECT_EQ(card.token_limit, 16U);
  EXPECT_EQ(card.pooling, "mean");
  EXPECT_EQ(card.layers, 2U);
  EXPECT_EQ(card.identity, *sha256_file(path_));
}

TEST_F(EncoderEmbedder, ALongTextLosesItsEndAndSaysSo) {
  make({});
  const auto embedder = opened(path_);
  std::string exact, longer;
  for (int i = 0; i < 14; ++i) exact += "people ";
  longer = exact + "lie";
  const auto table = embedded(*embedder, std::vector<std::string>{exact, longer});
  EXPECT_EQ(table.tokens, (std::vector<std::size_t>{16, 16}));
  EXPECT_EQ(table.truncated, (std::vector<bool>{false, true}));
  EXPECT_GT(cosine(table.row(0), table.row(1)), 0.999999);
  EXPECT_EQ(tokens(*embedder, longer).back(), 3);
}

TEST_F(EncoderEmbedder, WhatElseIsInTheBatchDoesNotMatter) {
  make({});
  const auto embedder = opened(path_);
  const auto together = embedded(*embedder, kTexts);
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    EXPECT_LT(largest_gap(embedded(*embedder, std::vector<std::string>{kTexts[i]}).row(0), together.row(i)), 1e-4) << kTexts[i];
  }
}

TEST_F(EncoderEmbedder, ManyTextsFillManyDecodes) {
  make({});
  const auto embedder = opened(path_);
  const std::vector<std::string> texts(200, "people lie");
  const auto table = embedded(*embedder, texts);
  EXPECT_EQ(table.computed, 4U);  // 64 sequences a decode
  for (std::size_t i = 1; i < texts.size(); ++i) EXPECT_LT(largest_gap(table.row(0), table.row(i)), 1e-5);
}

TEST_F(EncoderEmbedder, StatesOfBlocksTokensAndSpansAreRefused) {
  make({});
  EXPECT_EQ(open_llama_embedder(spec_of(1), path_).error().message,
            path_.string() + ": states of single blocks can be read of decoders only, this is an encoder. Leave out the layer");
  const auto embedder = opened(path_);
  const std::vector<EmbedRequest> spanned{{"people", {}, {}}, {"people", {}, {{0, 1}}}};
  EXPECT_EQ(embed(*embedder, spanned).error().message,
            "text 2: tokens and spans are for states of decoders; this model pools whole texts");
}

TEST_F(EncoderEmbedder, AnEncoderIsNoLanguageModel) {
  make({});
  const auto model = open_llama("tiny", path_, {}, exact_options());
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message, path_.string() + ": Valence examines models that read and write left to right; this is not one");
}

// ---- states of decoders

class DecoderEmbedder : public ::testing::Test {
 protected:
  void SetUp() override { write_tiny({}, path_); }

  /// The engine's own pooling of the last states, from its plain interface.
  std::vector<float> pooled_by_engine(const std::vector<TokenId>& tokens) {
    const auto file = *check_model_file(path_);
    const auto weights = *load_weights(file, "as_is", 0);
    auto params = llama_context_default_params();
    params.embeddings = true;
    params.pooling_type = LLAMA_POOLING_TYPE_MEAN;
    params.n_ctx = params.n_batch = params.n_ubatch = 512;
    params.n_threads = params.n_threads_batch = 1;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.type_k = params.type_v = GGML_TYPE_F32;
    const llama_context_ptr context(llama_init_from_model(weights->model.get(), params));
    auto copy = tokens;
    EXPECT_EQ(llama_decode(context.get(), llama_batch_get_one(copy.data(), static_cast<int>(copy.size()))), 0);
    const float* values = llama_get_embeddings_seq(context.get(), 0);
    return {values, values + 64};
  }

  ScratchCache cache_;
  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "tiny.gguf";
};

TEST_F(DecoderEmbedder, LastStatesAreWhatTheEnginePools) {
  const auto embedder = opened(path_, spec_of(0, false));
  EXPECT_EQ(embedder->card().pooling, "mean");
  EXPECT_EQ(embedder->card().dimensions, 64U);
  const auto tokens = random_prompt(1, 40).tokens;
  const auto table = embedded(*embedder, std::vector<EmbedRequest>{{"", random_prompt(2, 9).tokens, {}}, {"", tokens, {}}});
  EXPECT_LT(largest_gap(table.row(1), pooled_by_engine(tokens)), 1e-5);
}

TEST_F(DecoderEmbedder, SpansOfTheLastStatesAddUpToTheWhole) {
  for (const std::size_t layer : {0, 1, 2}) {
    const auto embedder = opened(path_, spec_of(layer, false));
    const auto tokens = random_prompt(1, 30).tokens;
    const auto table = embedded(*embedder, std::vector<EmbedRequest>{
                                               {"", tokens, {}}, {"", tokens, {{0, 10}}}, {"", tokens, {{.begin = 10}}}, {"", tokens, {{10, 30}, {0, 10}}}});
    std::vector<float> sum;
    for (std::size_t d = 0; d < 64; ++d) sum.push_back((table.row(1)[d] * 10 + table.row(2)[d] * 20) / 30);
    EXPECT_LT(largest_gap(table.row(0), sum), 1e-4) << layer;
    EXPECT_LT(largest_gap(table.row(0), table.row(3)), 1e-4) << layer;
    EXPECT_GT(largest_gap(table.row(1), table.row(2)), 1e-2) << layer;
  }
}

TEST_F(DecoderEmbedder, TokensAfterASpanDoNotMatterAndBlocksDiffer) {
  const auto tokens = random_prompt(1, 30).tokens;
  const std::vector<TokenId> beginning(tokens.begin(), tokens.begin() + 12);
  std::vector<std::vector<float>> layers;
  for (const std::size_t layer : {0, 1, 2}) {
    const auto embedder = opened(path_, spec_of(layer, false));
    const auto table = embedded(*embedder, std::vector<EmbedRequest>{{"", tokens, {{0, 12}}}, {"", beginning, {}}});
    EXPECT_LT(largest_gap(table.row(0), table.row(1)), 1e-4) << layer;
    layers.emplace_back(table.row(1).begin(), table.row(1).end());
  }
  EXPECT_LT(cosine(layers[1], layers[2]), 0.999);
  EXPECT_LT(cosine(layers[0], layers[2]), 0.99999);  // the final norm lies between
}

TEST_F(DecoderEmbedder, AShortcutThroughTheGraphChangesNoNumber) {
  // The engine's own pooling goes through the whole graph; between two readings of block 1 its context is used otherwise.
  const auto tokens = random_prompt(4, 20).tokens;
  const auto first = opened(path_, spec_of(1, false));
  const auto a = embedded(*first, std::vector<EmbedRequest>{{"", tokens, {}}});
  const auto between = opened(path_, spec_of(0, false));
  embedded(*between, std::vector<EmbedRequest>{{"", tokens, {}}});
  const auto b = embedded(*first, std::vector<EmbedRequest>{{"", tokens, {}}});
  EXPECT_EQ(a.values, b.values);
}

TEST_F(DecoderEmbedder, ATextLongerThanAMicroBatchIsReadInParts) {
  auto spec = spec_of(1, false);
  const auto tokens = random_prompt(1, 300).tokens;
  const auto whole = embedded(*opened(path_, spec), std::vector<EmbedRequest>{{"", tokens, {}}});
  spec.engine.micro_batch = 64;
  const auto parts = embedded(*opened(path_, spec), std::vector<EmbedRequest>{{"", tokens, {}}});
  EXPECT_LT(largest_gap(whole.row(0), parts.row(0)), 1e-4);
  spec.layer = 0;
  const auto last_parts = embedded(*opened(path_, spec), std::vector<EmbedRequest>{{"", tokens, {}}});
  EXPECT_LT(largest_gap(last_parts.row(0), pooled_by_engine(tokens)), 1e-4);
}

TEST_F(DecoderEmbedder, TextIsTextAndControlStringsAreNotTokens) {
  const auto embedder = opened(path_);
  const std::vector<EmbedRequest> requests{{"<|im_end|>", {}, {}}};
  const auto plan = *embedder->plan(requests);
  EXPECT_GT(plan.items.front().tokens.size(), 1U);
  for (const auto token : plan.items.front().tokens) EXPECT_LT(token, 256);
}

TEST_F(DecoderEmbedder, OtherArchitecturesHaveTheirStatesToo) {
  for (const auto* architecture : {"llama", "gemma3", "mamba"}) {
    TinyModel model;
    model.architecture = architecture;
    write_tiny(model, path_);
    for (const std::size_t layer : {0, 1}) {
      const auto table = embedded(*opened(path_, spec_of(layer, false)), std::vector<std::string>{"honest people", "lie", "honest people"});
      EXPECT_LT(largest_gap(table.row(0), table.row(2)), 1e-4) << architecture;
      EXPECT_GT(largest_gap(table.row(0), table.row(1)), 1e-3) << architecture;
    }
  }
}

TEST_F(DecoderEmbedder, AnAdapterMovesTheStates) {
  write_tiny_adapter("qwen2", folder_ / "adapter.gguf");
  auto spec = spec_of(1, false);
  const auto plain = embedded(*opened(path_, spec), std::vector<std::string>{"honest"});
  spec.adapters = {{(folder_ / "adapter.gguf").string(), 1.0}};
  EXPECT_GT(largest_gap(embedded(*opened(path_, spec), std::vector<std::string>{"honest"}).row(0), plain.row(0)), 1e-4);
}

TEST_F(DecoderEmbedder, WrongRequestsAreNamed) {
  const auto embedder = opened(path_);
  const auto refused = [&](EmbedRequest request) { return embedder->plan(std::vector{std::move(request)}).error().message; };
  EXPECT_EQ(refused({"", {}, {}}), "text 1: it is empty, and this model's tokenizer puts nothing around a text: there is nothing to embed");
  EXPECT_EQ(refused({"abc", {}, {{2, 9}}}), "text 1: the span [2, 9) is empty or beyond its 3 tokens");
  EXPECT_EQ(refused({"abc", {}, {{2, 2}}}), "text 1: the span [2, 2) is empty or beyond its 3 tokens");
  EXPECT_EQ(refused({"abc", {1}, {}}), "text 1: it has both text and tokens; give one");
  EXPECT_EQ(refused({"", {900}, {}}), "text 1: token 900 is not of this model's 258: render the prompt with this model");
  EXPECT_EQ(refused({"", std::vector<TokenId>(4097, 1), {}}), "text 1: it has 4097 tokens, the model reads 4096; only plain text is cut");
  EXPECT_EQ(open_llama_embedder(spec_of(3), path_).error().message, "layer 3: the model has 2 blocks; choose 1 to 2, or 0");
}

// ---- groups

TEST_F(DecoderEmbedder, DigestsNameAllThatCanChangeAVector) {
  const std::vector<EmbedRequest> requests{{"honest people", {}, {}}};
  const auto digest = [&](const EmbedderSpec& spec) { return opened(path_, spec)->plan(requests)->groups.front().digest; };
  const auto base = digest(spec_of());
  EXPECT_EQ(digest(spec_of()), base);
  EXPECT_NE(digest(spec_of(1)), base);
  EXPECT_NE(digest(spec_of(0, false)), base);
  auto spec = spec_of();
  spec.engine.threads = 2;
  EXPECT_NE(digest(spec), base);
  spec = spec_of();
  spec.engine.cache = "f16";
  EXPECT_NE(digest(spec), base);
  const auto embedder = opened(path_);
  EXPECT_NE(embedder->plan(std::vector<EmbedRequest>{{"honest people", {}, {{0, 3}}}})->groups.front().digest, base);
}

TEST_F(DecoderEmbedder, StoredGroupsAreTakenAndDamagedOnesComputedAgain) {
  const auto store = *Store::open(folder_ / "valence.db");
  const auto run = *store->create_run({});
  std::vector<std::string> texts;
  for (int i = 100; i < 200; ++i) texts.push_back(fmt::format("people {}", i));
  std::vector<EmbedRequest> requests;
  for (const auto& text : texts) requests.push_back({text, {}, {}});
  const auto embedder = opened(path_);
  const auto first = *embed(*embedder, texts, {}, {store.get(), run});
  EXPECT_EQ(first.computed, 2U);  // 100 texts of 10 tokens, 512 tokens a decode
  EXPECT_EQ(*store->count_groups(run), 2U);
  const auto second = *embed(*embedder, texts, {}, {store.get(), run});
  EXPECT_EQ(second.computed, 0U);
  EXPECT_EQ(second.values, first.values);
  EXPECT_EQ(second.tokens, first.tokens);
  const auto plan = *embedder->plan(requests);
  const auto other = *store->create_run({});
  EXPECT_EQ(embed(*embedder, texts, {}, {store.get(), other, true})->computed, 0U);
  EXPECT_EQ(embed(*embedder, texts, {}, {store.get(), other, false})->computed, 2U);
  ASSERT_TRUE(store->put_group(run, plan.groups[1].digest, {"VE1\nxxxxxxxxxxxx", 0, 0}));
  const auto mended = *embed(*embedder, texts, {}, {store.get(), run, false});
  EXPECT_EQ(mended.computed, 1U);
  EXPECT_EQ(mended.values, first.values);
  EXPECT_EQ(store->events(run)->back().level, "warning");
}

TEST_F(DecoderEmbedder, AStoppedRunSaysSo) {
  std::stop_source source;
  source.request_stop();
  const auto embedder = opened(path_);
  const std::vector<std::string> texts{"honest"};
  const auto stopped = embed(*embedder, texts, {source.get_token(), nullptr});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kStopped);
}

TEST(Embeddings, StoredBytesComeBackAndDamageIsSeen) {
  const std::vector<Embedding> given{{{1.5F, -2.0F}, 7, true}, {{0.0F, 3.0F}, 2, false}};
  const auto bytes = encode_embeddings(given);
  const auto back = decode_embeddings(bytes);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ((*back)[0].values, given[0].values);
  EXPECT_EQ((*back)[0].tokens, 7U);
  EXPECT_TRUE((*back)[0].truncated);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(decode_embeddings(bytes.substr(0, cut)));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto wrong = bytes;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_FALSE(decode_embeddings(wrong));
  }
  EXPECT_EQ(decode_embeddings("short").error().message, "stored vectors are damaged: they do not begin as a group does");
}

TEST(Embeddings, ScalingKeepsDirectionAndZeroStaysZero) {
  std::vector<float> vector{3, 4}, zero{0, 0};
  normalise(vector);
  normalise(zero);
  EXPECT_FLOAT_EQ(vector[0], 0.6F);
  EXPECT_FLOAT_EQ(vector[1], 0.8F);
  EXPECT_EQ(zero, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace valence::test
