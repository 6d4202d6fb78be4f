#include "export.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "machine.h"
#include "tiny_transformer.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/model/safetensors.h"
#include "valence/model/tensors.h"

namespace valence::test {
namespace {

/// A template of the tests' own, to see that it is carried along.
constexpr const char* kChatTemplate = "{% for message in messages %}<{{ message.content }}>{% endfor %}";

/// "llama", or "llama_fused" with query, key and value in one matrix.
class Export : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    TinyModel tiny;
    tiny.architecture = GetParam().substr(0, GetParam().find('_'));
    tiny.fused = GetParam().ends_with("_fused");
    tiny.chat_template = kChatTemplate;
    write_tiny(tiny, folder_ / "m.gguf");
  }
  ScratchFolder folder_;
  ScratchCache cache_;
  std::vector<TokenId> text_ = random_tokens(9, 30);
};

TEST_P(Export, TheEngineWithTheAdapterGivesTheTrainersLogits) {
  for (const bool stabilised : {false, true}) {
    auto options = adapter_options();
    options.tuning.lora.rank_stabilised = stabilised;
    const auto model = load_tiny(folder_ / "m.gguf", options);
    stir_adapters(*model);
    const auto path = folder_ / "adapter.gguf";
    const auto written = export_lora_gguf(*model, path, {"tiny adapter", "made by a test", "tiny"});
    ASSERT_TRUE(written) << written.error().message;
    const auto base = engine_logits(folder_ / "m.gguf", text_),
               adapted = engine_logits(folder_ / "m.gguf", text_, {{path.string(), 1.0}});
    EXPECT_GT(largest_difference(base, adapted), 0.05);
    EXPECT_LT(largest_difference(adapted, logits_of(*model, text_)), 1e-3);
    EXPECT_EQ(engine_logits(folder_ / "m.gguf", text_, {{path.string(), 0.0}}), base);  // at scale 0 it changes nothing
    model->set_adapter_scale(0.5);
    EXPECT_LT(
        largest_difference(engine_logits(folder_ / "m.gguf", text_, {{path.string(), 0.5}}), logits_of(*model, text_)),
        1e-3);
  }
}

TEST_P(Export, TheMergedModelGivesTheTrainersLogits) {
  const auto model = load_tiny(folder_ / "m.gguf");
  stir_adapters(*model);
  const auto path = folder_ / "merged.gguf";
  const auto written = export_merged_gguf(*model, path, "f32", {"merged", "", "tiny"});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_LT(largest_difference(engine_logits(path, text_), logits_of(*model, text_)), 1e-3);
  const auto reread = load_tiny(path);
  EXPECT_LT(largest_difference(logits_of(*reread, text_), logits_of(*model, text_)), 1e-4);
  const auto head = read_gguf_header(path).value();
  EXPECT_EQ(head.text("general.name"), "merged");
  EXPECT_EQ(head.vocabulary(), read_gguf_header(folder_ / "m.gguf")->vocabulary());
  EXPECT_EQ(head.chat_template(), kChatTemplate);
}

TEST_P(Export, AnAdapterOnTopOfAnotherIsWhatTheEngineGivesWithBoth) {
  const auto first = folder_ / "first.gguf", second = folder_ / "second.gguf", path = folder_ / "merged.gguf";
  {
    const auto model = load_tiny(folder_ / "m.gguf");
    stir_adapters(*model);
    ASSERT_TRUE(export_lora_gguf(*model, first, {}));
  }
  auto options = adapter_options();
  options.adapters = {{first.string(), 0.5}};
  const auto model = load_tiny(folder_ / "m.gguf", options);
  EXPECT_LT(largest_difference(engine_logits(folder_ / "m.gguf", text_, options.adapters), logits_of(*model, text_)),
            1e-3);
  stir_adapters(*model, 0.03);
  ASSERT_TRUE(export_lora_gguf(*model, second, {}));
  const auto both = engine_logits(folder_ / "m.gguf", text_, {{first.string(), 0.5}, {second.string(), 1.0}});
  EXPECT_LT(largest_difference(both, logits_of(*model, text_)), 1e-3);
  EXPECT_GT(largest_difference(both, engine_logits(folder_ / "m.gguf", text_, options.adapters)), 0.03);
  ASSERT_TRUE(export_merged_gguf(*model, path, "f32", {}));
  EXPECT_LT(largest_difference(both, engine_logits(path, text_)), 1e-3);
}

TEST_P(Export, AFullyTrainedModelIsWrittenWhole) {
  const auto model = load_tiny(folder_ / "m.gguf", full_options());
  {
    const torch::NoGradGuard no_grad;
    for (const auto& parameter : model->parameters()) parameter.value.mul_(1.01);
  }
  const auto path = folder_ / "merged.gguf";
  ASSERT_TRUE(export_merged_gguf(*model, path, "f32", {}));
  EXPECT_LT(largest_difference(engine_logits(path, text_), logits_of(*model, text_)), 1e-3);
  EXPECT_GT(largest_difference(engine_logits(path, text_), engine_logits(folder_ / "m.gguf", text_)), 1e-2);
}

INSTANTIATE_TEST_SUITE_P(Architectures, Export,
                         ::testing::Values("llama", "qwen2", "qwen3", "gemma3", "llama_fused", "qwen2_fused"),
                         [](const auto& given) { return given.param; });

class ExportFiles : public ::testing::Test {
 protected:
  ExportFiles() {
    TinyModel tiny;
    tiny.architecture = "llama";
    tiny.chat_template = kChatTemplate;
    write_tiny(tiny, folder_ / "m.gguf");
  }

  static Json config_in(const std::filesystem::path& folder) {
    return *parse_json(*read_file(folder / "adapter_config.json"), "adapter_config.json");
  }

  /// What a PEFT folder adds to a module's matrix, worked out of the folder alone, as PEFT does: alpha / r · BA, or
  /// alpha / √r · BA.
  static torch::Tensor peft_change(const std::filesystem::path& folder, const std::string& module) {
    const auto config = config_in(folder);
    const auto rank = config.at("r").get<double>();
    const bool stabilised = config.at("use_rslora").get<bool>();
    const double scale = config.at("lora_alpha").get<double>() / (stabilised ? std::sqrt(rank) : rank);
    const auto file = SafeTensors::read(folder / "adapter_model.safetensors").value();
    const auto matrix = [&](const std::string& half) {
      const auto name = "base_model.model.model.layers." + module + half;
      const auto& shape = file.tensors().at(name).shape;
      return torch::tensor(file.floats(name).value())
          .view({static_cast<std::int64_t>(shape[0]), static_cast<std::int64_t>(shape[1])});
    };
    return matrix(".lora_B.weight").mm(matrix(".lora_A.weight")).mul(scale);
  }

  /// What the trainer's adapter adds to a matrix of the file.
  static torch::Tensor trained_change(Transformer& model, const std::string& tensor) {
    const auto with = model.merged(tensor);
    model.set_adapter_scale(0);
    const auto change = with - model.merged(tensor);
    model.set_adapter_scale(1);
    return change;
  }

  ScratchFolder folder_;
  ScratchCache cache_;
};

TEST_F(ExportFiles, MergedModelsAreQuantisedByLlamaCpp) {
  const auto model = load_tiny(folder_ / "m.gguf");
  stir_adapters(*model);
  for (const auto& [format, expected] : {std::pair{"f16", "f16"}, {"q8_0", "q8_0"}}) {
    const auto path = folder_ / (std::string(format) + ".gguf");
    const auto written = export_merged_gguf(*model, path, format, {});
    ASSERT_TRUE(written) << written.error().message;
    const auto head = read_gguf_header(path).value();
    EXPECT_EQ(head.file_type(), expected);
    EXPECT_EQ(head.chat_template(), kChatTemplate);
    EXPECT_EQ(head.text("general.name"), "tiny");  // the base model's
    EXPECT_EQ(head.vocabulary(), read_gguf_header(folder_ / "m.gguf")->vocabulary());
    EXPECT_LT(largest_difference(engine_logits(path, random_tokens(1, 9)), logits_of(*model, random_tokens(1, 9))),
              0.5);
  }
  const auto wrong = export_merged_gguf(*model, folder_ / "x.gguf", "q3", {});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "file format \"q3\" is unknown; choose one of f32, f16, bf16, q8_0, q6_k, q5_k_m, q4_k_m, q4_1, q4_0");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.gguf"));
}

TEST_F(ExportFiles, PeftFoldersHoldPublishedNamesAndRows) {
  const auto model = load_tiny(folder_ / "m.gguf");
  stir_adapters(*model);
  const auto written = export_peft(*model, folder_ / "peft", {"", "", "some/base"});
  ASSERT_TRUE(written) << written.error().message;
  const auto config = config_in(folder_ / "peft");
  EXPECT_EQ(config.at("peft_type"), "LORA");
  EXPECT_EQ(config.at("r"), 4);
  EXPECT_EQ(config.at("lora_alpha"), 8.0);
  EXPECT_EQ(config.at("base_model_name_or_path"), "some/base");
  EXPECT_EQ(config.at("target_modules"),
            (Json{"down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"}));
  const auto file = SafeTensors::read(folder_ / "peft" / "adapter_model.safetensors");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->tensors().size(), 2U * 7 * 2);
  const auto query = *file->floats("base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight");
  const auto value = *file->floats("base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight");
  for (const auto& pair : model->adapters()) {
    const auto* b = pair.b.data_ptr<float>();
    if (pair.tensor == "blk.1.attn_v.weight") {
      EXPECT_EQ(value, std::vector<float>(b, b + pair.b.numel()));
    }
    if (pair.tensor != "blk.1.attn_q.weight") continue;
    // A head of 16: the file's row 2k + h stands for the published row 8h + k.
    for (std::size_t k = 0; k < 8; ++k) {
      for (std::size_t h = 0; h < 2; ++h) EXPECT_EQ(query[(16 + 8 * h + k) * 4], b[(16 + 2 * k + h) * 4]);
    }
  }
}

TEST_F(ExportFiles, PeftFoldersSayTheScaleThatTheTrainerUsed) {
  for (const bool stabilised : {false, true}) {
    auto options = adapter_options();
    options.tuning.lora.rank_stabilised = stabilised;
    const auto model = load_tiny(folder_ / "m.gguf", options);
    stir_adapters(*model);
    const auto folder = folder_ / (stabilised ? "stabilised" : "plain");
    ASSERT_TRUE(export_peft(*model, folder, {}));
    EXPECT_EQ(config_in(folder).at("use_rslora"), stabilised);
    const auto change = trained_change(*model, "blk.1.attn_v.weight");
    EXPECT_GT(change.abs().max().item<double>(), 0.01);
    EXPECT_TRUE(torch::allclose(peft_change(folder, "1.self_attn.v_proj"), change, 1e-4, 1e-6)) << stabilised;
  }
}

TEST_F(ExportFiles, AFusedMatrixBecomesThreePeftModulesWithTheSameProduct) {
  for (const std::string architecture : {"qwen2", "llama"}) {
    TinyModel tiny;
    tiny.architecture = architecture;
    tiny.fused = true;
    write_tiny(tiny, folder_ / "fused.gguf");
    const auto model = load_tiny(folder_ / "fused.gguf");
    stir_adapters(*model);
    ASSERT_TRUE(export_peft(*model, folder_ / architecture, {}));
    // 4 heads of 16 rows for queries, 2 for keys and for values. Llama's heads are (half, k) in the folder, (k, half)
    // in the file.
    const auto rows = [&](const std::string& module, std::int64_t heads) {
      const auto added = peft_change(folder_ / architecture, "1.self_attn." + module);
      EXPECT_EQ(added.size(0), 16 * heads) << architecture << " " << module;
      if (architecture == "qwen2" || module == "v_proj") return added;
      return added.view({heads, 2, 8, added.size(1)}).transpose(1, 2).reshape(added.sizes());
    };
    const std::vector<torch::Tensor> parts{rows("q_proj", 4), rows("k_proj", 2), rows("v_proj", 2)};
    const auto change = trained_change(*model, "blk.1.attn_qkv.weight");
    ASSERT_EQ(change.size(0), 128);
    EXPECT_TRUE(torch::allclose(torch::cat(parts), change, 1e-4, 1e-6)) << architecture;
  }
}

TEST_F(ExportFiles, WithoutAnAdapterThereIsNoneToWrite) {
  const auto model = load_tiny(folder_ / "m.gguf", full_options());
  const auto gguf = export_lora_gguf(*model, folder_ / "a.gguf", {}), peft = export_peft(*model, folder_ / "p", {});
  ASSERT_FALSE(gguf);
  ASSERT_FALSE(peft);
  EXPECT_EQ(gguf.error().message,
            (folder_ / "a.gguf").string() +
                ": there is no adapter to write, the whole model was trained. Export the merged model");
  EXPECT_EQ(peft.error().message,
            (folder_ / "p").string() +
                ": there is no adapter to write, the whole model was trained. Export the merged model");
}

TEST(Machine, ASlowBlasIsRefusedWithTheRemedy) {
  const auto check = check_machine(1, 1e9);
  ASSERT_FALSE(check);
  EXPECT_EQ(check.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(check.error().message.find("apt-get install libopenblas0-openmp"), std::string::npos)
      << check.error().message;
}

TEST(Machine, ThreadsOutOfRangeAreNamed) {
  const auto shared = share_threads(-2);
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().message, "-2 threads: choose 1 to 512, or 0 for the cores this process may use");
}

TEST(Machine, Bf16IsChosenOnlyWhereItPays) {
  const auto check = check_machine(1, 0.1);
  ASSERT_TRUE(check) << check.error().message;
  EXPECT_EQ(check->bf16, check->bf16_gflops >= 1.3 * check->f32_gflops);
  EXPECT_EQ(check->threads, 1);
}

TEST(Machine, OldKernelsAreReplacedWhereTheProcessorCanDoMore) {
  EXPECT_EQ(better_kernels("Prescott", true, true), "SkylakeX");
  EXPECT_EQ(better_kernels("Prescott", true, false), "Haswell");
  EXPECT_EQ(better_kernels("Prescott", false, false), "");
  EXPECT_EQ(better_kernels("Haswell", true, true), "");  // its own choice stays
  EXPECT_EQ(better_kernels("Zen", true, false), "");
  EXPECT_EQ(better_kernels("", true, true), "");  // another BLAS
}

}  // namespace
}  // namespace valence::test
