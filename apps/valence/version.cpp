#include "version.h"

#include <fmt/format.h>

namespace valence {

std::string version_text() {
  return fmt::format("valence {} (llama.cpp {}, {})", VALENCE_VERSION, VALENCE_LLAMA_VERSION, VALENCE_LLAMA_SOURCE);
}

}  // namespace valence
