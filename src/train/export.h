#pragma once

#include <filesystem>
#include <string>

#include "transformer.h"
#include "valence/base/result.h"

namespace valence {

/// What an exported file says of itself.
struct ExportNote {
  std::string name;         ///< general.name; empty = the base model's
  std::string description;  ///< how it was made
  std::string base;         ///< name or path of the base model, for the PEFT folder
};

/// A LoRA GGUF that stock llama.cpp loads. kUsage if there is no adapter.
Result<void> export_lora_gguf(const Transformer& model, const std::filesystem::path& path, const ExportNote& note);

/// A folder that the Python library PEFT loads beside the published weights: adapter_model.safetensors and
/// adapter_config.json. Rows of B on queries and keys of the llama architecture are put back from GGUF's order.
Result<void> export_peft(const Transformer& model, const std::filesystem::path& folder, const ExportNote& note);

/// The whole model with what was trained merged in: f32, f16, q8_0, … as llama.cpp's quantiser makes it from f32.
/// Metadata, tokenizer and chat template are the base file's.
Result<void> export_merged_gguf(const Transformer& model, const std::filesystem::path& path, const std::string& format,
                                const ExportNote& note);

}  // namespace valence
