#include "valence/model/convert.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "model/tiny_bert.h"
#include "valence/model/safetensors.h"
#include "support/scratch.h"
#include "valence/model/gguf.h"

namespace valence::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::content_of;
using testing::put_file;
using testing::Scratch;

class ConvertBert : public ::testing::Test {
 protected:
  void SetUp() override { write_bert_folder({}, folder_); }

  Error refusal(const ConvertOptions& options = {}) {
    const auto made = convert_bert(folder_, out_, options);
    EXPECT_FALSE(made);
    EXPECT_FALSE(fs::exists(out_));
    return made ? Error{} : made.error();
  }
  std::string message(const ConvertOptions& options = {}) { return refusal(options).message; }
  std::string at(const std::string& file) const { return (folder_ / file).string(); }

  /// Changes a JSON file of the folder, which comes out on one line.
  void change(const std::string& file, const std::function<void(json&)>& how) {
    auto document = json::parse(content_of(folder_ / file));
    how(document);
    put_file(folder_ / file, document.dump());
  }
  /// Changes the head of the weights; the content stays.
  void change_weights(const std::function<void(json&)>& how) {
    const auto content = content_of(folder_ / "model.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), 8);
    auto head = json::parse(content.substr(8, length));
    how(head);
    const auto text = head.dump();
    const std::uint64_t size = text.size();
    put_file(folder_ / "model.safetensors", std::string(reinterpret_cast<const char*>(&size), 8) + text + content.substr(8 + length));
  }

  Scratch scratch_;
  fs::path folder_ = scratch_ / "tiny-bert", out_ = scratch_ / "out.gguf";
};

TEST_F(ConvertBert, TheFilePassesTheValidatorAndSaysWhatItHolds) {
  const auto made = convert_bert(folder_, out_, {.format = "f16", .pooling = "auto", .licence = "CC0-1.0"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->pooling, "mean");
  EXPECT_EQ(made->dimensions, 32U);
  EXPECT_EQ(made->token_limit, 16U);
  EXPECT_EQ(made->tokens, TinyBert::vocabulary().size());
  EXPECT_EQ(made->tensors, 5U + 2 * 16);
  EXPECT_EQ(made->bytes, fs::file_size(out_));
  const auto info = read_gguf_header(out_);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->architecture(), "bert");
  EXPECT_EQ(info->text("general.name"), "tiny-bert");
  EXPECT_EQ(info->text("general.license"), "CC0-1.0");
  EXPECT_EQ(info->text("tokenizer.ggml.model"), "bert");
  EXPECT_EQ(info->context_length(), 24U);
  EXPECT_EQ(info->number("bert.pooling_type"), 1U);
  EXPECT_EQ(info->number("bert.block_count"), 2U);
  EXPECT_EQ(info->number("tokenizer.ggml.seperator_token_id"), 3U);
  EXPECT_EQ(info->number("valence.embedding.max_tokens"), 16U);
  std::map<std::string, std::uint32_t> formats;
  for (const auto& tensor : info->tensors) formats[tensor.name] = tensor.type;
  EXPECT_EQ(formats.at("blk.1.ffn_down.weight"), 1U);
  EXPECT_EQ(formats.at("blk.1.ffn_down.bias"), 0U);
  EXPECT_EQ(formats.at("token_types.weight"), 0U);
  EXPECT_EQ(formats.at("position_embd.weight"), 0U);
}

TEST_F(ConvertBert, TheSameFolderGivesTheSameBytes) {
  ASSERT_TRUE(convert_bert(folder_, out_, {}));
  const auto first = content_of(out_);
  ASSERT_TRUE(convert_bert(folder_, out_, {}));
  EXPECT_EQ(content_of(out_), first);
}

TEST_F(ConvertBert, HalfPrecisionSourcesAndPrefixedNamesGiveTheSameNumbers) {
  ASSERT_TRUE(convert_bert(folder_, out_, {.format = "f32"}));
  const auto plain = content_of(out_);
  for (const auto* format : {"F16", "BF16"}) {
    TinyBert bert;
    bert.prefix = "bert.";
    bert.format = format;
    write_bert_folder(bert, folder_);
    ASSERT_TRUE(convert_bert(folder_, out_, {.format = "f32"}));
    const auto other = content_of(out_);
    // The random numbers are exact in BF16; some fall below F16's range.
    if (std::string_view(format) == "BF16") {
      EXPECT_EQ(other, plain);
    }
    EXPECT_EQ(other.size(), plain.size());
  }
}

TEST_F(ConvertBert, ClsPoolingIsTaken) {
  TinyBert bert;
  bert.pooling = "cls";
  write_bert_folder(bert, folder_);
  ASSERT_TRUE(convert_bert(folder_, out_, {}));
  EXPECT_EQ(read_gguf_header(out_)->number("bert.pooling_type"), 2U);
}

TEST_F(ConvertBert, AVocabularyInLinesDoes) {
  ASSERT_TRUE(convert_bert(folder_, out_, {}));
  const auto plain = content_of(out_);
  fs::remove(folder_ / "tokenizer.json");
  std::string lines;
  for (const auto& token : TinyBert::vocabulary()) lines += token + "\n";
  put_file(folder_ / "vocab.txt", lines);
  put_file(folder_ / "tokenizer_config.json", R"({"do_lower_case": true, "strip_accents": null})");
  ASSERT_TRUE(convert_bert(folder_, out_, {}));
  EXPECT_EQ(content_of(out_), plain);
}

// ---- bad folders

TEST_F(ConvertBert, MissingThingsAreNamed) {
  EXPECT_EQ(convert_bert(scratch_ / "absent", out_, {}).error().message, (scratch_ / "absent").string() + ": no such folder");
  fs::remove(folder_ / "model.safetensors");
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
  EXPECT_EQ(message(), at("model.safetensors") + ": cannot read: No such file or directory");
  fs::remove(folder_ / "modules.json");
  EXPECT_EQ(message(), at("modules.json") + ": not there, so nothing says how states become one vector. Choose --pooling mean or --pooling cls");
  fs::remove(folder_ / "tokenizer.json");
  EXPECT_EQ(message(), folder_.string() + ": neither tokenizer.json nor vocab.txt is there; one must hold the vocabulary");
  fs::remove(folder_ / "config.json");
  EXPECT_EQ(message(), at("config.json") + ": cannot read: No such file or directory");
}

TEST_F(ConvertBert, WithoutModulesThePoolingMayBeNamed) {
  fs::remove(folder_ / "modules.json");
  ASSERT_TRUE(convert_bert(folder_, out_, {.pooling = "cls"}));
  EXPECT_EQ(read_gguf_header(out_)->number("bert.pooling_type"), 2U);
}

TEST_F(ConvertBert, WrongKeysOfTheConfigurationAreNamedWithTheirPlace) {
  change("config.json", [](json& c) { c["model_type"] = "roberta"; });
  EXPECT_TRUE(message().starts_with(at("config.json") + ":1:")) << message();
  EXPECT_TRUE(message().ends_with("\"model_type\" is \"roberta\"; bert can be converted")) << message();
  EXPECT_EQ(refusal().code, ErrorCode::kUnsupported);
  change("config.json", [](json& c) { c["model_type"] = "bert", c["hidden_act"] = "relu"; });
  EXPECT_TRUE(message().ends_with("\"hidden_act\" is \"relu\"; gelu, gelu_new, gelu_pytorch_tanh can be converted")) << message();
  change("config.json", [](json& c) { c["hidden_act"] = "gelu", c["hidden_size"] = "wide"; });
  EXPECT_TRUE(message().ends_with("\"hidden_size\" should be a whole number, got the text \"wide\"")) << message();
  change("config.json", [](json& c) { c["hidden_size"] = 33; });
  EXPECT_TRUE(message().ends_with("\"hidden_size\" 33 is no multiple of \"num_attention_heads\" 4")) << message();
  change("config.json", [](json& c) { c["hidden_size"] = 0; });
  EXPECT_TRUE(message().ends_with("\"hidden_size\" should be a whole number above 0")) << message();
  change("config.json", [](json& c) { c.erase("hidden_size"); });
  EXPECT_NE(message().find("hidden_size"), std::string::npos) << message();
}

TEST_F(ConvertBert, AWrongVocabularyIsNamed) {
  change("tokenizer.json", [](json& t) { t["model"]["vocab"]["extra"] = 25; });
  EXPECT_TRUE(message().ends_with("25 is the id of \"extra\", beyond the vocab_size 25 of config.json")) << message();
  change("tokenizer.json", [](json& t) { t["model"]["vocab"]["extra"] = 5; });
  EXPECT_NE(message().find("5 is the id of both"), std::string::npos) << message();
  change("tokenizer.json", [](json& t) { t["model"]["vocab"].erase("extra"), t["model"]["vocab"].erase("[UNK]"); });
  EXPECT_EQ(message(), at("tokenizer.json") + ": the vocabulary has no token \"[UNK]\", which BERT's tokenizer needs");
  change("tokenizer.json", [](json& t) { t["model"]["type"] = "Unigram"; });
  EXPECT_TRUE(message().ends_with("\"type\" is \"Unigram\"; WordPiece can be converted")) << message();
}

TEST_F(ConvertBert, AnotherPoolingOrModuleIsRefused) {
  change("1_Pooling/config.json", [](json& p) { p["pooling_mode_max_tokens"] = true; });
  EXPECT_TRUE(message().starts_with(at("1_Pooling/config.json"))) << message();
  EXPECT_TRUE(message().ends_with("its pooling is pooling_mode_max_tokens and pooling_mode_mean_tokens; pooling_mode_mean_tokens or "
                                  "pooling_mode_cls_token alone can be converted")) << message();
  change("modules.json", [](json& m) { m[2]["type"] = "sentence_transformers.models.Dense"; });
  change("1_Pooling/config.json", [](json& p) { p["pooling_mode_max_tokens"] = false; });
  EXPECT_NE(message().find("is \"sentence_transformers.models.Dense\"; Transformer, Pooling and Normalize can be converted"), std::string::npos)
      << message();
}

TEST_F(ConvertBert, WrongTensorsAreNamed) {
  change_weights([](json& head) { head.erase("encoder.layer.1.output.dense.bias"); });
  EXPECT_EQ(message(), at("model.safetensors") + ": \"encoder.layer.1.output.dense.bias\" is missing; config.json promises it");
  write_bert_folder({}, folder_);
  change_weights([](json& head) { head["embeddings.position_embeddings.weight"]["shape"] = {32, 24}; });
  EXPECT_EQ(message(), at("model.safetensors") +
                           ": \"embeddings.position_embeddings.weight\" has the shape [32, 24], config.json makes it [24, 32]");
  write_bert_folder({}, folder_);
  change_weights([](json& head) { head["encoder.layer.7.x"] = head["embeddings.LayerNorm.bias"]; });
  EXPECT_EQ(message(), at("model.safetensors") + ": \"encoder.layer.7.x\" is no tensor of a BERT encoder of 2 layers");
  write_bert_folder({}, folder_);
  change_weights([](json& head) { head["embeddings.LayerNorm.bias"]["dtype"] = "I32"; });
  EXPECT_EQ(message(), at("model.safetensors") + ": \"embeddings.LayerNorm.bias\" is in the format I32; F32, F16 and BF16 can be converted");
}

TEST_F(ConvertBert, WrongOptionsAreRefused) {
  EXPECT_EQ(message({.format = "q4"}), "format \"q4\" is unknown; choose f16 or f32");
  EXPECT_EQ(message({.pooling = "max"}), "pooling \"max\" is unknown; choose auto, mean or cls");
}

TEST_F(ConvertBert, AFileThatCannotBeWrittenIsToldAndLeavesNothing) {
  put_file(scratch_ / "plain", "x");
  const auto made = convert_bert(folder_, scratch_ / "plain/out.gguf", {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kIo);
  EXPECT_TRUE(made.error().message.starts_with((scratch_ / "plain").string())) << made.error().message;
  EXPECT_EQ(content_of(scratch_ / "plain"), "x");
}

// ---- safetensors

std::string safetensors(const std::string& head, std::size_t data) {
  const std::uint64_t size = head.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + head + std::string(data, '\0');
}

std::string damage(std::string content) {
  const auto file = SafeTensors::parse(std::move(content), "x.safetensors");
  if (file) return "sound";
  EXPECT_EQ(file.error().code, ErrorCode::kCorrupt);
  return file.error().message;
}

TEST(SafeTensors, ASoundFileIsReadAndItsMetadataIsNoTensor) {
  const auto file = SafeTensors::parse(
      safetensors(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})", 8), "x");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->tensors().size(), 1U);
  EXPECT_EQ(*file->floats("a"), (std::vector<float>{0, 0}));
}

TEST(SafeTensors, DamageIsTold) {
  EXPECT_EQ(damage("abc"), "x.safetensors: 3 bytes are no safetensors file");
  EXPECT_EQ(damage(std::string(8, '\x01')), "x.safetensors: the file is 8 bytes, its header claims 72,340,172,838,076,673: truncated, or no safetensors file");
  EXPECT_TRUE(damage(safetensors("{", 0)).starts_with("x.safetensors:"));
  EXPECT_NE(damage(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4)).find("truncated download"), std::string::npos);
  EXPECT_NE(damage(safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)).find("\"a\": x.safetensors:1:6: the shape does not fit the data_offsets"), std::string::npos);
  EXPECT_NE(damage(safetensors(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0)).find("does not fit"), std::string::npos);
  EXPECT_NE(damage(safetensors(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}})", 0)).find("should not be negative"), std::string::npos);
  EXPECT_NE(damage(safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", 8)).find("beyond the end"), std::string::npos);
}

}  // namespace
}  // namespace valence::test
