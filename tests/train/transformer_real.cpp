// What must hold on real weights: SmolLM2-135M-Instruct.
#include <gtest/gtest.h>

#include <iostream>

#include "model/llama_tiny.h"
#include "parity.h"
#include "valence/model/llama.h"
#include "valence/model/registry.h"
#include "valence/model/token_scorer.h"
#include "valence/model/tune.h"

namespace valence::test {
namespace {

class SmolLM2 : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto registry = ModelRegistry::open();
    if (!registry) return;
    if (auto file = registry->resolve("smollm2")) file_ = new ModelFile(*std::move(file));
    cache_ = new ScratchCache();
    ASSERT_TRUE(start_engine("auto", "cpu"));
  }
  static void TearDownTestSuite() {
    delete file_;
    delete cache_;
  }
  void SetUp() override {
    if (file_ == nullptr) GTEST_SKIP() << "SmolLM2 is not on this machine; fetch it: valence model pull smollm2";
  }

  static std::vector<std::vector<TokenId>> texts(const std::filesystem::path& path) {
    const auto engine = TokenScorer::open(path, "as_is", {});
    std::vector<std::vector<TokenId>> list;
    for (const auto* text :
         {"People who keep their promises are trusted by those around them, even when it costs them something.",
          "The committee met on Tuesday. It heard four witnesses, adjourned for lunch, and voted seven to two.",
          "Return the wallet to its owner; the money in it was never yours to keep."}) {
      list.push_back(*engine->tokenize(text));
    }
    return list;
  }

  static inline ModelFile* file_ = nullptr;
  static inline ScratchCache* cache_ = nullptr;  ///< of the formats made from the file
};

TEST_F(SmolLM2, LogProbabilitiesOnF32WeightsAreTheEngines) {
  const auto path = *prepare_format(file_->path, file_->sha256, "f32");
  const auto model = Transformer::load(path, {});
  ASSERT_TRUE(model) << model.error().message;
  ParityOptions options;
  options.tolerance = 1e-3;
  options.threads = 2;
  const auto parity = compare_with_engine(**model, texts(path), options);
  ASSERT_TRUE(parity) << parity.error().message;
  std::cout << "f32: " << parity->describe() << "\n";
  EXPECT_LT(parity->largest, 1e-3);
}

TEST_F(SmolLM2, OnTheFileAsItIsTheyDifferByWhatTheEngineRounds) {
  const auto model = Transformer::load(file_->path, {});
  ASSERT_TRUE(model) << model.error().message;
  ParityOptions options;
  options.threads = 2;
  const auto parity = compare_with_engine(**model, texts(file_->path), options);
  ASSERT_TRUE(parity) << parity.error().message;
  std::cout << "as is: " << parity->describe() << "\n";
  EXPECT_GT(parity->mean, 0);
}

}  // namespace
}  // namespace valence::test
