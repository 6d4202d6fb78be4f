#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "valence/base/digest.h"
#include "valence/base/result.h"

namespace valence {

struct ConvertOptions {
  std::string format = "f16";    ///< of the matrices: f16 or f32; vectors and the position table stay f32
  std::string pooling = "auto";  ///< auto (as modules.json says), mean or cls
  std::string licence{};         ///< written into the file; empty = not known
};

struct Converted {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::uint64_t parameters = 0;
  std::size_t tensors = 0;
  std::size_t tokens = 0;       ///< of the vocabulary
  std::size_t dimensions = 0;
  std::size_t token_limit = 0;  ///< tokens of one text
  std::string pooling;          ///< mean or cls
};

/// Writes an encoder of BERT's family as a GGUF file that any llama.cpp can load.
///
/// `folder` holds config.json (model_type "bert", hidden_act a GELU, absolute positions), model.safetensors (F32, F16 or
/// BF16), tokenizer.json with a WordPiece model or vocab.txt, and, for sentence encoders, modules.json, the pooling
/// module's config.json and sentence_bert_config.json (max_seq_length). Tensors that are no part of the encoder's last
/// states (pooler, language-model head, position ids) are left out; any other unknown tensor is an error.
///
/// kUsage names the file, place and key that are wrong; kNotFound a missing file; kCorrupt a damaged safetensors file;
/// kUnsupported what llama.cpp's encoder cannot compute. `out` appears only whole, and only if it passes read_gguf_header.
Result<Converted> convert_bert(const std::filesystem::path& folder, const std::filesystem::path& out,
                               const ConvertOptions& options);

}  // namespace valence
