#pragma once

#include "session.h"

namespace valence {

/// `valence model convert` and `valence model embed`: encoders, and vectors of texts.
void add_model_embed(CLI::App& model, Session& session);

}  // namespace valence
