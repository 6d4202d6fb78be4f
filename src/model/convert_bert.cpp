#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <span>

#include "bert_folder.h"
#include "ggml.h"
#include "gguf.h"
#include "valence/model/safetensors.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/model/convert.h"
#include "valence/model/gguf.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

/// A tensor in the folder and in the GGUF file. Dimensions: rows × row length, or one length.
struct BertTensor {
  std::string source, target;
  std::vector<std::size_t> shape;
  bool matrix;  ///< in the chosen format; the others stay F32
};

/// Names in the published files against llama.cpp's, for what exists once and for what exists per block.
std::vector<BertTensor> tensors_of(const BertShape& s) {
  std::vector<BertTensor> list{
      {"embeddings.word_embeddings.weight", "token_embd.weight", {s.vocabulary, s.width}, true},
      {"embeddings.position_embeddings.weight", "position_embd.weight", {s.positions, s.width}, false},
      {"embeddings.token_type_embeddings.weight", "token_types.weight", {s.token_types, s.width}, false},
      {"embeddings.LayerNorm.weight", "token_embd_norm.weight", {s.width}, false},
      {"embeddings.LayerNorm.bias", "token_embd_norm.bias", {s.width}, false}};
  struct Part {
    std::string_view source, target;
    std::size_t rows, length;  // 0 rows: a norm
  };
  const std::array<Part, 8> parts{{{"attention.self.query", "attn_q", s.width, s.width},
                                   {"attention.self.key", "attn_k", s.width, s.width},
                                   {"attention.self.value", "attn_v", s.width, s.width},
                                   {"attention.output.dense", "attn_output", s.width, s.width},
                                   {"attention.output.LayerNorm", "attn_output_norm", 0, s.width},
                                   {"intermediate.dense", "ffn_up", s.feed_forward, s.width},
                                   {"output.dense", "ffn_down", s.width, s.feed_forward},
                                   {"output.LayerNorm", "layer_output_norm", 0, s.width}}};
  for (std::size_t layer = 0; layer < s.layers; ++layer) {
    for (const auto& part : parts) {
      const auto source = fmt::format("encoder.layer.{}.{}", layer, part.source), target = fmt::format("blk.{}.{}", layer, part.target);
      const bool matrix = part.rows > 0;
      list.push_back({source + ".weight", target + ".weight", matrix ? std::vector{part.rows, part.length} : std::vector{part.length}, matrix});
      list.push_back({source + ".bias", target + ".bias", {matrix ? part.rows : part.length}, false});
    }
  }
  return list;
}

/// Models saved with a head have "bert." before the encoder's names.
std::string prefix_of(const SafeTensors& weights) {
  return weights.tensors().contains("bert.embeddings.word_embeddings.weight") ? "bert." : "";
}

/// What the encoder's last states do not need.
bool is_left_out(std::string_view name) {
  return name.starts_with("pooler.") || name.starts_with("cls.") || name == "embeddings.position_ids";
}

Result<void> check_tensors(const SafeTensors& weights, const std::vector<BertTensor>& list, const std::string& prefix) {
  std::set<std::string> known;
  for (const auto& tensor : list) {
    known.insert(prefix + tensor.source);
    const auto found = weights.tensors().find(prefix + tensor.source);
    if (found == weights.tensors().end()) {
      return fail(ErrorCode::kUsage, "{}: \"{}\" is missing; config.json promises it", weights.name(), prefix + tensor.source);
    }
    if (!std::ranges::equal(found->second.shape, tensor.shape)) {
      return fail(ErrorCode::kMismatch, "{}: \"{}\" has the shape [{}], config.json makes it [{}]", weights.name(),
                  prefix + tensor.source, fmt::join(found->second.shape, ", "), fmt::join(tensor.shape, ", "));
    }
  }
  for (const auto& [name, tensor] : weights.tensors()) {
    const auto bare = std::string_view(name).substr(name.starts_with(prefix) ? prefix.size() : 0);
    if (known.contains(name) || is_left_out(bare)) continue;
    return fail(ErrorCode::kUnsupported, "{}: \"{}\" is no tensor of a BERT encoder of {} layers", weights.name(), printable(name),
                (list.size() - 5) / 16);
  }
  return {};
}

// ---- writing

using GgufFile = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
using GgmlTensors = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

/// GGUF's way to write pieces: those that begin a word have U+2581 before them, the others nothing.
std::string gguf_token(const std::string& token, bool control) {
  if (control) return token;
  return token.starts_with("##") && token.size() > 2 ? token.substr(2) : "\xE2\x96\x81" + token;
}

void write_vocabulary(gguf_context* file, const BertVocabulary& vocabulary) {
  constexpr std::int32_t kNormal = 1, kControl = 3;
  const std::set<std::size_t> controls{vocabulary.unknown, vocabulary.cls, vocabulary.separator, vocabulary.padding, vocabulary.mask};
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const bool control = controls.contains(id);
    tokens.push_back(gguf_token(vocabulary.tokens[id], control));
    types.push_back(control ? kControl : kNormal);
  }
  std::vector<const char*> pointers;
  for (const auto& token : tokens) pointers.push_back(token.c_str());
  const auto id = [](std::size_t value) { return static_cast<std::uint32_t>(value); };
  gguf_set_val_str(file, "tokenizer.ggml.model", "bert");
  gguf_set_arr_str(file, "tokenizer.ggml.tokens", pointers.data(), pointers.size());
  gguf_set_arr_data(file, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
  gguf_set_val_u32(file, "tokenizer.ggml.bos_token_id", id(vocabulary.cls));
  gguf_set_val_u32(file, "tokenizer.ggml.unknown_token_id", id(vocabulary.unknown));
  gguf_set_val_u32(file, "tokenizer.ggml.seperator_token_id", id(vocabulary.separator));  // spelt so in the format
  gguf_set_val_u32(file, "tokenizer.ggml.padding_token_id", id(vocabulary.padding));
  gguf_set_val_u32(file, "tokenizer.ggml.mask_token_id", id(vocabulary.mask));
  gguf_set_val_bool(file, "tokenizer.ggml.normalizer.lowercase", vocabulary.rules.lowercase);
  gguf_set_val_bool(file, "tokenizer.ggml.normalizer.strip_accents", vocabulary.rules.strip_accents);
}

void write_head(gguf_context* file, const BertFolder& bert, const ConvertOptions& options) {
  const auto& s = bert.shape;
  const auto set = [&](const char* key, std::size_t value) { gguf_set_val_u32(file, key, static_cast<std::uint32_t>(value)); };
  gguf_set_val_str(file, "general.architecture", "bert");
  gguf_set_val_str(file, "general.type", "model");
  gguf_set_val_str(file, "general.name", bert.name.c_str());
  if (!options.licence.empty()) gguf_set_val_str(file, "general.license", options.licence.c_str());
  set("general.file_type", options.format == "f16" ? 1 : 0);
  set("bert.context_length", s.positions);
  set("bert.embedding_length", s.width);
  set("bert.feed_forward_length", s.feed_forward);
  set("bert.block_count", s.layers);
  set("bert.attention.head_count", s.heads);
  gguf_set_val_f32(file, "bert.attention.layer_norm_epsilon", static_cast<float>(s.norm_epsilon));
  gguf_set_val_bool(file, "bert.attention.causal", false);
  set("bert.pooling_type", bert.pooling == "cls" ? 2 : 1);
  set("tokenizer.ggml.token_type_count", s.token_types);
  set("valence.embedding.max_tokens", bert.token_limit);
}

/// Adds a tensor to the head.
void add_tensor(gguf_context* file, ggml_context* tensors, const BertTensor& tensor, ggml_type type) {
  std::vector<std::int64_t> dims(tensor.shape.rbegin(), tensor.shape.rend());  // GGUF: row length first
  auto* made = ggml_new_tensor(tensors, type, static_cast<int>(dims.size()), dims.data());
  ggml_set_name(made, tensor.target.c_str());
  gguf_add_tensor(file, made);
}

Result<void> write_tensors(gguf_context* file, const SafeTensors& weights, const std::vector<BertTensor>& list, const std::string& prefix,
                           const std::string& format, ggml_context* tensors, std::vector<std::vector<std::byte>>& contents) {
  for (const auto& tensor : list) {
    VALENCE_TRY(const auto values, weights.floats(prefix + tensor.source));
    const auto type = tensor.matrix && format == "f16" ? GGML_TYPE_F16 : GGML_TYPE_F32;
    auto& content = contents.emplace_back(values.size() * ggml_type_size(type));
    if (type == GGML_TYPE_F16) {
      ggml_fp32_to_fp16_row(values.data(), reinterpret_cast<ggml_fp16_t*>(content.data()), static_cast<std::int64_t>(values.size()));
    } else {
      std::ranges::copy(std::as_bytes(std::span(values)), content.begin());
    }
    add_tensor(file, tensors, tensor, type);
  }
  return {};
}

/// The whole file in memory: head, then tensors, each padded to the alignment.
std::string bytes_of(const gguf_context* file, const std::vector<std::vector<std::byte>>& contents) {
  std::string bytes(gguf_get_meta_size(file), '\0');
  gguf_get_meta_data(file, bytes.data());
  for (const auto& content : contents) {
    bytes.append(reinterpret_cast<const char*>(content.data()), content.size());
    bytes.resize((bytes.size() + GGUF_DEFAULT_ALIGNMENT - 1) / GGUF_DEFAULT_ALIGNMENT * GGUF_DEFAULT_ALIGNMENT);
  }
  return bytes;
}

Result<GgufInfo> write_checked(const std::string& bytes, const fs::path& out) {
  VALENCE_TRY(auto info, parse_gguf_header(std::as_bytes(std::span(bytes)), bytes.size(), out.string()));
  VALENCE_CHECK(write_file(out, bytes));
  return info;
}

Result<void> check_options(const ConvertOptions& options) {
  if (options.format == "f16" || options.format == "f32") return {};
  return fail(ErrorCode::kUsage, "format \"{}\" is unknown; choose f16 or f32", options.format);
}

}  // namespace

Result<Converted> convert_bert(const fs::path& folder, const fs::path& out, const ConvertOptions& options) {
  VALENCE_CHECK(check_options(options));
  VALENCE_TRY(const auto bert, read_bert_folder(folder, options.pooling));
  VALENCE_TRY(const auto weights, SafeTensors::read(folder / "model.safetensors"));
  const auto list = tensors_of(bert.shape);
  const auto prefix = prefix_of(weights);
  VALENCE_CHECK(check_tensors(weights, list, prefix));

  const GgufFile file(gguf_init_empty(), &gguf_free);
  const GgmlTensors tensors(ggml_init({(list.size() + 1) * ggml_tensor_overhead(), nullptr, /*no_alloc=*/true}), &ggml_free);
  std::vector<std::vector<std::byte>> contents;
  contents.reserve(list.size());
  write_head(file.get(), bert, options);
  write_vocabulary(file.get(), bert.vocabulary);
  VALENCE_CHECK(write_tensors(file.get(), weights, list, prefix, options.format, tensors.get(), contents));
  VALENCE_TRY(const auto info, write_checked(bytes_of(file.get(), contents), out));
  return Converted{out, info.file_bytes, info.parameters(), info.tensors.size(), bert.vocabulary.tokens.size(),
                   bert.shape.width, bert.token_limit, bert.pooling};
}

}  // namespace valence
