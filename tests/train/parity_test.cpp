#include "parity.h"

#include "tiny_transformer.h"
#include "valence/model/gguf_write.h"

namespace valence::test {
namespace {

/// Every way of laying out a model that the trainer claims to know.
std::vector<std::pair<std::string, TinyModel>> layouts() {
  const auto make = [](const std::string& architecture, auto change) {
    TinyModel model;
    model.architecture = architecture;
    change(model);
    return model;
  };
  return {{"llama", make("llama", [](auto&) {})},
          {"llama with its own head", make("llama", [](auto& m) { m.separate_head = true; })},
          {"llama with fused matrices", make("llama", [](auto& m) { m.fused = true; })},
          {"llama with biases", make("llama", [](auto& m) { m.more_biases = true; })},
          {"llama with rope factors", make("llama", [](auto& m) { m.rope_factors = true; })},
          {"llama with linear scaling", make("llama", [](auto& m) { m.rope_factor = 4; })},
          {"qwen2", make("qwen2", [](auto&) {})},
          {"qwen2 with its own head", make("qwen2", [](auto& m) { m.separate_head = true; })},
          {"qwen2 with fused matrices", make("qwen2", [](auto& m) { m.fused = true; })},
          {"qwen3 with wide heads", make("qwen3", [](auto& m) { m.head_width = 32; })},
          {"gemma3", make("gemma3", [](auto&) {})},
          {"gemma3 with capped logits", make("gemma3", [](auto& m) { m.logit_cap = 10; })},
          {"gemma3 with linear scaling", make("gemma3", [](auto& m) { m.rope_factor = 8; })}};
}

TEST(Parity, EveryArchitectureGivesTheEnginesLogProbabilities) {
  const ScratchFolder folder;
  for (const auto& [name, tiny] : layouts()) {
    const auto path = folder / (name + ".gguf");
    write_tiny(tiny, path);
    const auto model = load_tiny(path);
    const std::vector<std::vector<TokenId>> texts{random_tokens(1, 40), random_tokens(2, 7)};
    ParityOptions options;
    options.tolerance = 1e-3;
    const auto parity = compare_with_engine(*model, texts, options);
    ASSERT_TRUE(parity) << name << ": " << parity.error().message;
    EXPECT_EQ(parity->tokens, 45U);
    EXPECT_LT(parity->largest, 1e-3) << name;
    RecordProperty(name, parity->describe());
  }
}

/// The comparison must notice what it is there for, at the tolerance that a run has.
TEST(Parity, AnotherRopeStopsTheRunAndNamesTheLikelyCauses) {
  const ScratchFolder folder;
  TinyModel tiny;
  tiny.architecture = "llama";
  write_tiny(tiny, folder / "plain.gguf");
  tiny.rope_factor = 4;
  write_tiny(tiny, folder / "scaled.gguf");
  const auto model = load_tiny(folder / "scaled.gguf");
  std::filesystem::rename(folder / "plain.gguf", folder / "scaled.gguf");  // the engine now reads another rope
  const std::vector<std::vector<TokenId>> texts{random_tokens(1, 40)};
  const auto parity = compare_with_engine(*model, texts, {});
  ASSERT_FALSE(parity);
  EXPECT_EQ(parity.error().code, ErrorCode::kMismatch);
  EXPECT_TRUE(parity.error().message.ends_with(
      "; 0.02 nats are tolerated. What is trained would not be what is measured. Likely causes: rope (base, scaling or "
      "kind), an adapter bound on one side only"))
      << parity.error().message;
}

TEST(Parity, MoreIsToleratedWhereOneSideRoundsActivations) {
  const ScratchFolder folder;
  write_tiny({}, folder / "f32.gguf");
  ASSERT_TRUE(convert_format(folder / "f32.gguf", folder / "q8_0.gguf", "q8_0"));
  write_tiny_adapter("qwen2", folder / "adapter.gguf");
  auto in_bf16 = adapter_options();
  in_bf16.bf16 = true;
  const auto f32 = load_tiny(folder / "f32.gguf"), q8_0 = load_tiny(folder / "q8_0.gguf");
  const auto tolerated = [](const Transformer& model, const std::string& format, const std::string& adapter) {
    ParityOptions options;
    options.format = format;
    if (!adapter.empty()) options.adapters = {{adapter, 1.0}};
    return default_tolerance(model, options).value();
  };
  EXPECT_EQ(tolerated(*f32, "as_is", ""), 0.02);
  EXPECT_EQ(tolerated(*f32, "as_is", (folder / "adapter.gguf").string()), 0.02);
  EXPECT_EQ(tolerated(*q8_0, "f32", ""), 0.02) << "both sides compute with what the file's numbers stand for";
  EXPECT_EQ(tolerated(*q8_0, "as_is", ""), 0.25);
  EXPECT_EQ(tolerated(*f32, "q8_0", ""), 0.25);
  EXPECT_EQ(tolerated(*f32, "as_is", (folder / "q8_0.gguf").string()), 0.25) << "an adapter's tensors count too";
  EXPECT_EQ(tolerated(*load_tiny(folder / "f32.gguf", in_bf16), "as_is", ""), 0.25);
}

TEST(Parity, OneTokenIsNotEnough) {
  const ScratchFolder folder;
  write_tiny({}, folder / "m.gguf");
  const auto model = load_tiny(folder / "m.gguf");
  const std::vector<std::vector<TokenId>> texts{{40, 41}, {40}};
  const auto parity = compare_with_engine(*model, texts, {});
  ASSERT_FALSE(parity);
  EXPECT_EQ(parity.error().message, "text 2 has 1 tokens; the comparison needs two at least");
}

TEST(Parity, QuantisedFilesAreDequantisedAsGgmlDoes) {
  const ScratchFolder folder;
  const ScratchCache cache;
  TinyModel tiny;
  tiny.architecture = "llama";
  tiny.embedding = 256;  // a block of the K formats
  write_tiny(tiny, folder / "f32.gguf");
  const auto f32 = load_tiny(folder / "f32.gguf");
  for (const std::string format : {"f16", "bf16", "q8_0", "q6_k", "q4_1", "q4_0"}) {
    const auto path = folder / (format + ".gguf");
    const auto converted = convert_format(folder / "f32.gguf", path, format);
    ASSERT_TRUE(converted) << converted.error().message;
    const auto model = load_tiny(path);
    ParityOptions options;
    options.tolerance = 0.2;
    const std::vector<std::vector<TokenId>> texts{random_tokens(1, 40)};
    const auto parity = compare_with_engine(*model, texts, options);
    ASSERT_TRUE(parity) << format << ": " << parity.error().message;
    EXPECT_GT(largest_difference(logits_of(*model, random_tokens(1, 8)), logits_of(*f32, random_tokens(1, 8))), 0)
        << format;
  }
}

}  // namespace
}  // namespace valence::test
