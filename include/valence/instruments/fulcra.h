#pragma once

#include <memory>

#include "valence/instruments/instrument.h"

namespace valence {

/// Values as behaviour: prompts → the subject's responses → the evaluator's E in [−1, 1] per dimension and response. The
/// random unit is the prompt. Source: Yao et al. (2024), Value FULCRA; see docs/instruments/fulcra.md.
///
/// Rows of its answer table: of each response, one with what was said (item: the prompt; condition: the prompt's tags,
/// "|" between them; variant "response 1", …), and one per dimension with route "read" (item: the dimension;
/// probability: that the response opposes the value, leaves it untouched, upholds it). Probe rows, condition
/// "transport": of each responder that the evaluator was kept from, its mean reading and the labels (variant "read" and
/// "labelled").
std::unique_ptr<Instrument> make_fulcra();

}  // namespace valence
