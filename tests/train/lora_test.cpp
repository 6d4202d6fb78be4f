#include "lora.h"

#include "tiny_transformer.h"

namespace valence::test {
namespace {

std::string message_of(const LoraOptions& options) {
  const auto checked = check_lora(options);
  return checked ? "no error" : checked.error().message;
}

TEST(LoraOptions, ScaleIsAlphaOverRankOrItsRoot) {
  LoraOptions options;
  options.rank = 16;
  options.alpha = 8;
  EXPECT_DOUBLE_EQ(options.scale(), 0.5);
  options.rank_stabilised = true;
  EXPECT_DOUBLE_EQ(options.scale(), 2.0);
}

TEST(LoraOptions, WrongOnesAreNamed) {
  EXPECT_EQ(message_of({}), "no error");
  EXPECT_EQ(message_of({.rank = 0, .targets = {}}), "a LoRA rank of 0: choose 1 to 1024");
  EXPECT_EQ(message_of({.alpha = -1, .targets = {}}), "a LoRA alpha of -1: choose a number above 0");
  EXPECT_EQ(message_of({.dropout = 1, .targets = {}}), "a LoRA dropout of 1: choose 0 up to, not including, 1");
  EXPECT_EQ(
      message_of({.targets = {"q_proj"}}),
      "LoRA target \"q_proj\" is unknown; choose from attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up, ffn_down");
}

class Adapters : public ::testing::Test {
 protected:
  Adapters() { write_tiny({}, folder_ / "m.gguf"); }
  ScratchFolder folder_;
  std::vector<TokenId> text_ = random_tokens(5, 20);
};

TEST_F(Adapters, ANewOneChangesNothing) {
  const auto model = load_tiny(folder_ / "m.gguf");
  const auto with = logits_of(*model, text_);
  model->set_adapter_scale(0);
  EXPECT_EQ(with, logits_of(*model, text_));
}

TEST_F(Adapters, AtScaleZeroATrainedOneChangesNothing) {
  const auto model = load_tiny(folder_ / "m.gguf");
  const auto base = logits_of(*model, text_);
  stir_adapters(*model);
  EXPECT_GT(largest_difference(logits_of(*model, text_), base), 0.01);
  {
    const AsReference reference(*model);
    EXPECT_EQ(logits_of(*model, text_), base);
  }
  EXPECT_EQ(model->adapter_scale(), 1);
  EXPECT_GT(largest_difference(logits_of(*model, text_), base), 0.01);
}

TEST_F(Adapters, TheSeedDecidesWhateverWasDrawnBefore) {
  const auto first = load_tiny(folder_ / "m.gguf", adapter_options(4, 11));
  torch::manual_seed(99);
  static_cast<void>(torch::randn({100}));
  const auto again = load_tiny(folder_ / "m.gguf", adapter_options(4, 11)),
             other = load_tiny(folder_ / "m.gguf", adapter_options(4, 12));
  for (std::size_t i = 0; i < first->adapters().size(); ++i) {
    EXPECT_TRUE(torch::equal(first->adapters()[i].a, again->adapters()[i].a));
    EXPECT_FALSE(torch::equal(first->adapters()[i].a, other->adapters()[i].a));
  }
}

TEST_F(Adapters, OnlyTheTargetsGetOne) {
  auto options = adapter_options();
  options.tuning.lora.targets = {"attn_q", "ffn_down"};
  const auto model = load_tiny(folder_ / "m.gguf", options);
  std::vector<std::string> names;
  for (const auto& pair : model->adapters()) names.push_back(pair.tensor);
  EXPECT_EQ(names, (std::vector<std::string>{"blk.0.attn_q.weight", "blk.0.ffn_down.weight", "blk.1.attn_q.weight",
                                             "blk.1.ffn_down.weight"}));
  stir_adapters(*model);
  EXPECT_GT(largest_difference(logits_of(*model, text_), logits_of(*load_tiny(folder_ / "m.gguf"), text_)), 1e-3);
}

TEST_F(Adapters, AFusedMatrixGetsOneForAllThree) {
  TinyModel tiny;
  tiny.fused = true;
  write_tiny(tiny, folder_ / "fused.gguf");
  auto options = adapter_options();
  options.tuning.lora.targets = {"attn_v"};
  const auto model = load_tiny(folder_ / "fused.gguf", options);
  ASSERT_EQ(model->adapters().size(), 2U);
  EXPECT_EQ(model->adapters().front().tensor, "blk.0.attn_qkv.weight");
}

TEST_F(Adapters, DropoutIsAFunctionOfTheStep) {
  auto options = adapter_options();
  options.tuning.lora.dropout = 0.5;
  const auto model = load_tiny(folder_ / "m.gguf", options);
  stir_adapters(*model);
  const auto at_step = [&](std::int64_t step) {
    model->train(step);
    return logits_of(*model, text_);
  };
  const auto third = at_step(3);
  EXPECT_NE(at_step(4), third);
  EXPECT_EQ(at_step(3), third);
  model->evaluate();
  EXPECT_EQ(logits_of(*model, text_), logits_of(*model, text_));
}

TEST_F(Adapters, ReferenceOfAModelInTrainingHasNoDropoutAndNoGraph) {
  auto options = adapter_options();
  options.tuning.lora.dropout = 0.5;
  const auto model = load_tiny(folder_ / "m.gguf", options);
  model->train(1);
  const AsReference reference(*model);
  EXPECT_FALSE(model->score(whole_text(text_)).logprob.requires_grad());
}

}  // namespace
}  // namespace valence::test
