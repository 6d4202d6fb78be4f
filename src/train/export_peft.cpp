#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "export.h"
#include "tensor_values.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/model/safetensors.h"

namespace valence {
namespace {

using torch::Tensor;

/// A matrix's adapter in the published layout.
struct PeftPair {
  std::string module;  ///< "model.layers.0.self_attn.q_proj"
  Tensor a, b;
};

/// "blk.12.attn_q.weight" → 12 and "attn_q".
std::pair<std::int64_t, std::string> place_of(const std::string& tensor) {
  const auto first = tensor.find('.'), second = tensor.find('.', first + 1);
  std::int64_t block = 0;
  std::from_chars(tensor.data() + first + 1, tensor.data() + second, block);
  return {block, tensor.substr(second + 1, tensor.rfind('.') - second - 1)};
}

/// Llama's converter laid the rows of each head out as (k, half); published files have (half, k).
Tensor published_rows(const Tensor& b, std::int64_t heads, const TransformerShape& shape) {
  if (shape.rope_pairs != RopePairs::kNeighbours) return b;
  return b.view({heads, shape.head_width / 2, 2, b.size(1)}).transpose(1, 2).reshape(b.sizes());
}

PeftPair pair_of(std::int64_t block, std::string_view kind, const Tensor& a, const Tensor& b,
                 const TransformerShape& shape) {
  const auto known = lora_targets();
  const auto found = std::ranges::find(known, kind, &LoraTarget::gguf);
  auto rows = b;
  if (kind == "attn_q") rows = published_rows(b, shape.heads, shape);
  if (kind == "attn_k") rows = published_rows(b, shape.key_heads, shape);
  return {fmt::format("model.layers.{}.{}", block, found->published), a, rows};
}

/// A fused matrix becomes three modules with the same A.
std::vector<PeftPair> pairs_of(const AdapterPair& adapter, const TransformerShape& shape) {
  const auto [block, kind] = place_of(adapter.tensor);
  const auto a = adapter.a.detach(), b = adapter.b.detach();
  if (kind != "attn_qkv") return {pair_of(block, kind, a, b, shape)};
  const auto queries = shape.heads * shape.head_width, keys = shape.key_heads * shape.head_width;
  return {pair_of(block, "attn_q", a, b.narrow(0, 0, queries), shape),
          pair_of(block, "attn_k", a, b.narrow(0, queries, keys), shape),
          pair_of(block, "attn_v", a, b.narrow(0, queries + keys, keys), shape)};
}

SafeFloats safe_floats(const std::string& name, const Tensor& matrix) {
  return {name,
          {static_cast<std::uint64_t>(matrix.size(0)), static_cast<std::uint64_t>(matrix.size(1))},
          floats_of(matrix)};
}

Json config_of(const Transformer& model, const ExportNote& note, const std::vector<std::string>& modules) {
  const auto& lora = model.tuning().lora;
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"base_model_name_or_path", note.base},
          {"r", lora.rank},
          {"lora_alpha", lora.alpha},
          {"use_rslora", lora.rank_stabilised},
          {"lora_dropout", lora.dropout},
          {"target_modules", modules},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"inference_mode", true}};
}

/// "q_proj" of "model.layers.0.self_attn.q_proj", each once.
std::vector<std::string> module_names(const std::vector<PeftPair>& pairs) {
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(pair.module.substr(pair.module.rfind('.') + 1));
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

Result<void> export_peft(const Transformer& model, const std::filesystem::path& folder, const ExportNote& note) {
  std::vector<PeftPair> pairs;
  for (const auto& adapter : model.adapters()) {
    for (auto& pair : pairs_of(adapter, model.shape())) pairs.push_back(std::move(pair));
  }
  if (pairs.empty()) {
    return fail(ErrorCode::kUsage,
                "{}: there is no adapter to write, the whole model was trained. Export the merged model",
                folder.string());
  }
  std::vector<SafeFloats> tensors;
  for (const auto& pair : pairs) {
    tensors.push_back(safe_floats("base_model.model." + pair.module + ".lora_A.weight", pair.a));
    tensors.push_back(safe_floats("base_model.model." + pair.module + ".lora_B.weight", pair.b));
  }
  VALENCE_CHECK(write_safetensors(folder / "adapter_model.safetensors", tensors));
  return write_file(folder / "adapter_config.json", to_text(config_of(model, note, module_names(pairs)), 2) + "\n");
}

}  // namespace valence
