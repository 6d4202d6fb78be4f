#include "shape.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/gguf_builder.h"
#include "tiny_transformer.h"

namespace valence::test {
namespace {

using testing::GgufBuilder;

GgufInfo info_of(const GgufBuilder& builder) {
  const auto bytes = builder.bytes();
  auto info = parse_gguf_header(std::as_bytes(std::span(bytes)), bytes.size(), "m.gguf");
  if (!info) throw std::runtime_error(info.error().message);
  return *std::move(info);
}

/// The least that a llama says, but for `left_out`.
GgufBuilder llama_head(const std::string& left_out = "") {
  GgufBuilder builder;
  builder.text("general.architecture", "llama");
  const std::pair<const char*, std::uint32_t> numbers[] = {{"llama.embedding_length", 64},
                                                           {"llama.block_count", 2},
                                                           {"llama.feed_forward_length", 96},
                                                           {"llama.attention.head_count", 4}};
  for (const auto& [key, value] : numbers) {
    if (key != left_out) builder.u32(key, value);
  }
  if (left_out != "llama.attention.layer_norm_rms_epsilon")
    builder.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  return builder;
}

std::string message_of(const GgufBuilder& builder) {
  const auto shape = read_shape(info_of(builder), "m.gguf");
  return shape ? "no error" : shape.error().message;
}

TEST(Shape, DefaultsAreTheFormats) {
  const auto shape = read_shape(info_of(llama_head()), "m.gguf");
  ASSERT_TRUE(shape) << shape.error().message;
  EXPECT_EQ(shape->head_width, 16);
  EXPECT_EQ(shape->key_heads, 4);
  EXPECT_EQ(shape->rope_base, 10000.0);
  EXPECT_EQ(shape->rope_scale, 1.0);
  EXPECT_EQ(shape->rope_pairs, RopePairs::kNeighbours);
  EXPECT_NEAR(shape->attention_scale, 0.25, 1e-12);
}

TEST(Shape, EverySixthGemmaBlockSeesEverything) {
  TransformerShape shape;
  shape.window = 512;
  shape.window_pattern = 6;
  for (std::int64_t block = 0; block < 12; ++block) EXPECT_EQ(shape.is_local(block), block != 5 && block != 11);
  shape.window = 0;
  EXPECT_FALSE(shape.is_local(0));
}

TEST(Shape, WhatTheTrainerDoesNotKnowIsNamed) {
  GgufBuilder mamba;
  mamba.text("general.architecture", "mamba");
  EXPECT_EQ(
      message_of(mamba),
      "m.gguf: models of the architecture \"mamba\" can be measured, not trained; llama, qwen2, qwen3 and gemma3 can");
  EXPECT_EQ(message_of(llama_head("llama.embedding_length")),
            "m.gguf: \"llama.embedding_length\" is missing or no positive number");
  EXPECT_EQ(message_of(llama_head("llama.attention.layer_norm_rms_epsilon")),
            "m.gguf: \"llama.attention.layer_norm_rms_epsilon\" is missing or no finite number");
  EXPECT_EQ(
      message_of(llama_head().u32("llama.expert_count", 8)),
      "m.gguf: \"llama.expert_count\" says that it is a mixture of experts. The model can be measured, not trained");
  EXPECT_EQ(message_of(llama_head().text("llama.rope.scaling.type", "yarn")),
            "m.gguf: \"llama.rope.scaling.type\" is \"yarn\"; none and linear are known. The model can be measured, "
            "not trained");
  EXPECT_EQ(message_of(llama_head().u32("llama.attention.head_count_kv", 3)),
            "m.gguf: \"llama.attention.head_count_kv\" does not divide the number of heads. The model can be measured, "
            "not trained");
  EXPECT_EQ(message_of(llama_head().u32("llama.attention.value_length", 8)),
            "m.gguf: \"llama.attention.value_length\" differs from the width of the keys. The model can be measured, "
            "not trained");
  EXPECT_EQ(
      message_of(llama_head().u32("llama.rope.dimension_count", 8)),
      "m.gguf: \"llama.rope.dimension_count\" is not the width of a head. The model can be measured, not trained");
}

TEST(Shape, AFileWithAnUnknownOrMissingTensorIsNotTrained) {
  const ScratchFolder folder;
  TinyModel tiny;
  tiny.rope_factors = true;  // qwen2 has none
  write_tiny(tiny, folder / "odd.gguf");
  const auto odd = Transformer::load(folder / "odd.gguf", adapter_options());
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().message, (folder / "odd.gguf").string() +
                                     ": tensor \"rope_freqs.weight\" is no part of a qwen2 model that the trainer "
                                     "knows. The model can be measured, not trained");
  llama_head().write(folder / "empty.gguf");
  const auto empty = Transformer::load(folder / "empty.gguf", adapter_options());
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().message.find("tensor \"token_embd.weight\" is missing"), std::string::npos)
      << empty.error().message;
}

TEST(Shape, ADeviceThatIsNotThereIsNamed) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "there is a CUDA device";
  const ScratchFolder folder;
  write_tiny({}, folder / "m.gguf");
  auto options = adapter_options();
  options.device = torch::Device("cuda:0");
  const auto model = Transformer::load(folder / "m.gguf", options);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            "device \"cuda:0\": this libtorch has no CUDA device; choose cpu, or build against a libtorch with CUDA "
            "(Torch_DIR)");
}

}  // namespace
}  // namespace valence::test
