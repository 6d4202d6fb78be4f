#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "valence/instruments/svo.h"

namespace valence {

/// All sums of coins that six primary answers can reach. The 9^6 answer vectors fall on far fewer sums, so the exact
/// distribution of the angle costs one pass over a small lattice instead of one over 531,441 vectors.
class PayoffLattice {
 public:
  explicit PayoffLattice(std::span<const SliderItem> primary);

  /// Angle of each reachable sum, in degrees.
  const std::vector<double>& angles() const { return angles_; }
  /// Probability of each reachable sum when the items are answered independently. `weights`: [item][option]; weights of
  /// 1 count answer vectors.
  std::vector<double> distribution(std::span<const double> weights) const;

 private:
  std::vector<std::vector<std::uint32_t>> next_;  // per item: [state before][option] → state after
  std::vector<std::size_t> sizes_;                // states after each item
  std::vector<double> angles_;
};

}  // namespace valence
