#pragma once

#include <memory>
#include <string>
#include <vector>

#include "valence/model/language_model.h"

namespace valence {

struct AdapterSpec {
  std::string path;
  double scale = 1.0;
};

/// How the llama engine computes. Everything here that can change a number is part of every group's digest.
struct EngineOptions {
  bool reference = false;       ///< one request per decode, flash attention off, F32 cache
  std::string format = "auto";  ///< auto (tuned if tuned on this machine, else as_is), as_is, f32, f16, q8_0
  std::string cache = "f16";    ///< attention cache: f16, or f32, which also turns flash attention off (slower, exact)
  std::string backend = "auto"; ///< CPU backend: auto, native, prebuilt
  std::string device = "cpu";   ///< cpu, cuda, vulkan, metal; all but cpu are untested
  int gpu_layers = 0;           ///< -1 = all
  int threads = 0;              ///< 0 = the cores this process may use
  std::size_t sequences = 64;   ///< leaves plus spine depth of a group
  std::size_t micro_batch = 512;  ///< tokens of a group's body
  std::size_t context = 0;      ///< KV cells; 0 = chosen from the plan
  std::size_t rows = 1024;      ///< logits rows of one decode
  /// What scores may share: tree (every prefix), request (prefixes of one request's options), none. All but tree are
  /// slower and exist to be compared with.
  std::string sharing = "tree";
};

struct ModelSpec {
  std::string name;  ///< registry name, path, URL, hf:owner/repo/file.gguf, or scripted:NAME
  std::vector<AdapterSpec> adapters;
  EngineOptions engine;
};

/// Opens a model by name (fetching nothing: `valence model pull` does that). Unknown names suggest the nearest.
Result<std::unique_ptr<LanguageModel>> open_model(const ModelSpec& spec);

}  // namespace valence
