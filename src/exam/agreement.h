#pragma once

#include <cstddef>
#include <span>

namespace valence {

/// Expected total variation between a distribution and the shares of `draws` answers drawn from it: the distance that
/// sampling alone makes. Exact: half the sum over options of E|X/n − p|, X binomial. 0 without draws (exact answers).
double expected_distance(std::span<const double> probability, std::size_t draws);

}  // namespace valence
