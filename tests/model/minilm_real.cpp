// MiniLM as pulled and converted here against its reference implementation (tests/golden/NOTICE.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "ggml.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/model/embedder.h"
#include "valence/model/registry.h"

namespace valence::test {
namespace {

struct Golden {
  std::vector<std::string> texts;
  std::vector<std::size_t> tokens;
  std::vector<std::vector<float>> vectors;
};

std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

/// Little-endian halves.
std::vector<float> from_halves(const std::string& bytes) {
  std::vector<ggml_fp16_t> halves(bytes.size() / 2);
  std::memcpy(halves.data(), bytes.data(), bytes.size());
  std::vector<float> values(halves.size());
  ggml_fp16_to_fp32_row(halves.data(), values.data(), static_cast<std::int64_t>(values.size()));
  return values;
}

Golden read_golden() {
  Golden golden;
  for (const auto& line : split(*read_file(std::string(VALENCE_GOLDEN) + "/minilm.jsonl"), "\n")) {
    if (line.empty()) continue;
    const auto row = nlohmann::json::parse(line);
    golden.texts.push_back(row["text"]);
    golden.tokens.push_back(row["tokens"]);
    golden.vectors.push_back(from_halves(from_base64(row["vector"].get<std::string>())));
  }
  return golden;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t d = 0; d < a.size(); ++d) {
    const double x = static_cast<double>(a[d]), y = static_cast<double>(b[d]);
    dot += x * y, aa += x * x, bb += y * y;
  }
  return dot / std::sqrt(aa * bb);
}

class MiniLM : public ::testing::Test {
 protected:
  void SetUp() override {
    EmbedderSpec spec;
    spec.name = "minilm";
    spec.engine.threads = 1;  // the engine waits by spinning, which a busy machine makes slow
    auto opened = open_embedder(spec);
    if (!opened && opened.error().code == ErrorCode::kNotFound) {
      GTEST_SKIP() << "MiniLM is not on this machine; fetch it: valence model pull minilm";
    }
    ASSERT_TRUE(opened) << opened.error().message;
    embedder_ = *std::move(opened);
  }
  std::unique_ptr<Embedder> embedder_;
};

TEST_F(MiniLM, TwoHundredTextsHaveTheReferencesVectors) {
  const auto golden = read_golden();
  ASSERT_EQ(golden.texts.size(), 200U);
  const auto table = embed(*embedder_, golden.texts);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->dimensions, 384U);
  double least = 1, sum = 0;
  std::size_t cut = 0;
  for (std::size_t i = 0; i < golden.texts.size(); ++i) {
    const auto similarity = cosine(table->row(i), golden.vectors[i]);
    EXPECT_EQ(table->tokens[i], golden.tokens[i]) << golden.texts[i];
    EXPECT_GE(similarity, 0.9999) << golden.texts[i];
    least = std::min(least, similarity);
    sum += similarity;
    cut += table->truncated[i] ? 1 : 0;
  }
  EXPECT_GE(cut, 5U);
  std::cout << "MiniLM against the reference: least cosine " << fmt::format("{:.7f}, mean {:.7f}, {} texts cut at {} tokens\n", least,
                                                                            sum / 200, cut, embedder_->card().token_limit);
}

TEST_F(MiniLM, TheCardIsThePublishedModels) {
  const auto& card = embedder_->card();
  EXPECT_EQ(card.dimensions, 384U);
  EXPECT_EQ(card.token_limit, 256U);
  EXPECT_EQ(card.pooling, "mean");
  EXPECT_EQ(card.layers, 6U);
}

TEST_F(MiniLM, LikeTextsAreNearAndUnlikeOnesFar) {
  const std::vector<std::string> texts{"She gave the wallet back to its owner.", "The purse was returned to the person who had lost it.",
                                       "The train leaves at a quarter past seven."};
  const auto table = *embed(*embedder_, texts);
  EXPECT_GT(cosine(table.row(0), table.row(1)), cosine(table.row(0), table.row(2)) + 0.3);
}

}  // namespace
}  // namespace valence::test
