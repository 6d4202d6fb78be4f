#include "transformer_policy.h"

#include <gtest/gtest.h>

#include "support/scratch.h"
#include "tiny_transformer.h"

namespace valence::train {
namespace {

using namespace valence::test;

class RewardHead : public ::testing::Test {
 protected:
  RewardHead() : policy_(tiny(), "tiny", LinearHead::kReward) {
    const torch::NoGradGuard no_grad;
    for (auto& [name, value] : policy_.parameters()) {
      if (name == "head.weight") value.fill_(1.0);
    }
  }

  std::unique_ptr<Transformer> tiny() const {
    write_tiny({}, folder_ / "tiny.gguf");
    return load_tiny(folder_ / "tiny.gguf");
  }

  /// Rewards of answers of two tokens to one prompt.
  std::vector<float> rewards(const std::vector<std::vector<TokenId>>& answers) {
    std::vector<AnswerPath> paths;
    for (const auto& answer : answers) {
      auto tokens = random_tokens(1, 9);
      tokens.insert(tokens.end(), answer.begin(), answer.end());
      paths.push_back({tokens, 9, 0, 0.0});
    }
    std::vector<const AnswerPath*> pointers;
    for (const auto& path : paths) pointers.push_back(&path);
    const torch::NoGradGuard no_grad;
    const auto values = policy_.rewards(pointers).value().contiguous();
    return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
  }

  ScratchFolder folder_;
  TransformerPolicy policy_;
};

TEST_F(RewardHead, ReadsTheStateOfTheLastToken) {
  const auto values = rewards({{5, 6}, {5, 7}, {5, 6}});
  ASSERT_EQ(values.size(), 3U);
  EXPECT_GT(std::abs(values[0] - values[1]), 1e-4F);
  EXPECT_FLOAT_EQ(values[0], values[2]);
}

}  // namespace
}  // namespace valence::train
