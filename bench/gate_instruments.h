#pragma once

#include <cstddef>

#include "valence/base/result.h"

namespace valence::gate {

/// The checks that instruments bring along: evasion and transport of fulcra, item_spread of questionnaires. Prints a
/// line per simulated subject and, per check, the limits that would do; says whether all rates are within bounds.
Result<bool> print_instrument_rates(std::size_t simulations);

}  // namespace valence::gate
