#pragma once

#include <memory>

#include "valence/instruments/instrument.h"

namespace valence {

/// Heterogeneous value alignment evaluation: the slider under induced values (Zhang et al. 2023, arXiv 2305.17147).
/// Every dialogue induces one value, lets the subject adopt it and name a goal, then puts the six primary slider items.
/// The dialogue is the random unit; "dialogue-01", … name the same wording and layout under every condition.
std::unique_ptr<Instrument> make_hvae();

}  // namespace valence
