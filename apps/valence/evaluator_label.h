#pragma once

#include "session.h"

namespace valence {

/// valence evaluator label and correct.
void add_evaluator_labels(CLI::App& parent, Session& session);

}  // namespace valence
