#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/model/language_model.h"
#include "valence/model/open.h"

namespace valence {

/// The version of llama.cpp that the headers describe; the libraries must report the same.
inline constexpr std::string_view kEngineVersion = "0.5.0";

/// What the engine computes with in this process. Chosen once: the libraries keep it until the process ends.
struct EngineFacts {
  std::string version;   ///< as the library reports it
  std::string backend;   ///< "native", "prebuilt" or "built in"
  std::string variant;   ///< "native", "haswell", "sapphirerapids", …
  std::string features;  ///< instruction sets in use: "AVX2 FMA F16C"
  std::string device;    ///< "cpu", "cuda", "vulkan", "metal"
  std::string cpu;       ///< the processor's name
};

/// Loads the backend and starts the engine; later calls return the same facts. kMismatch when the libraries are of
/// another version, kUnsupported when the backend or device is not installed or another one is running already.
Result<EngineFacts> start_engine(std::string_view backend, std::string_view device);

/// The folder above the engine's libraries, where the native backend lies too; empty when the engine is linked in.
std::filesystem::path engine_folder();

std::string cpu_name();
/// Cores that this process may use.
int usable_cores();

/// Opens a GGUF file as `name`; `identity` is its SHA-256 if that is known already, else the file is hashed. The file and the adapters pass our own validator before llama.cpp sees them.
/// kMismatch when an adapter belongs to another architecture, naming both.
Result<std::unique_ptr<LanguageModel>> open_llama(std::string name, const std::filesystem::path& path,
                                                  const std::vector<AdapterSpec>& adapters,
                                                  const EngineOptions& options,
                                                  std::optional<Digest> identity = std::nullopt);

/// Tokens that llama_decode was given by this process since it began, for benchmarks and tests.
std::size_t decoded_tokens();

}  // namespace valence
