#pragma once

#include <string>

namespace valence {

/// "valence 0.1.0 (llama.cpp 0.5.0, prebuilt)".
std::string version_text();

}  // namespace valence
