#include "export.h"
#include "tensor_values.h"
#include "valence/model/gguf_write.h"

namespace valence {
namespace {

GgufFloats tensor_of(const std::string& name, const torch::Tensor& matrix) {
  return {name,
          {static_cast<std::uint64_t>(matrix.size(1)), static_cast<std::uint64_t>(matrix.size(0))},
          floats_of(matrix)};
}

}  // namespace

Result<void> export_lora_gguf(const Transformer& model, const std::filesystem::path& path, const ExportNote& note) {
  const auto adapters = model.adapters();
  if (adapters.empty()) {
    return fail(ErrorCode::kUsage,
                "{}: there is no adapter to write, the whole model was trained. Export the merged model",
                path.string());
  }
  std::vector<GgufFloats> tensors;
  for (const auto& pair : adapters) {
    tensors.push_back(tensor_of(pair.tensor + ".lora_a", pair.a));
    tensors.push_back(tensor_of(pair.tensor + ".lora_b", pair.b));
  }
  // llama.cpp multiplies by alpha / rank; a rank-stabilised adapter says the alpha that gives its own scale.
  const auto& lora = model.tuning().lora;
  const auto alpha = lora.scale() * static_cast<double>(lora.rank);
  return write_adapter_gguf(path, model.shape().architecture, alpha,
                            {{"general.name", note.name}, {"general.description", note.description}}, tensors);
}

}  // namespace valence
