#pragma once

#include "blocks.h"

namespace valence {

extern const Architecture kLlama, kQwen2, kQwen3, kGemma3;

}  // namespace valence
