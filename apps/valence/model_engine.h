#pragma once

#include "session.h"

namespace valence {

/// `valence model tune` and `valence model backend`: what computes fastest on this machine.
void add_model_engine(CLI::App& model, Session& session);

}  // namespace valence
