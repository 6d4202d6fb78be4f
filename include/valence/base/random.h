#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace valence {

/// One block of Philox4x32-10: 128 random bits for a counter, least significant word first.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A named, counter-based stream of random numbers (Philox4x32-10; Salmon et al. 2011): the same seed, purpose and
/// index give the same numbers on every machine, whatever else was drawn. Distributions are our own because those of
/// the standard library differ between implementations, down to logarithm and exponential, whose last bits differ
/// between C libraries and processors.
///
/// The key comes from seed and purpose; `index` is the counter's upper half, so streams that differ in index only never
/// overlap: each has 2^64 blocks of its own.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  /// An independent stream for a part of this one's work; drawing from either does not disturb the other.
  RandomStream substream(std::string_view purpose, std::uint64_t index = 0) const;

  std::uint64_t bits();                  ///< 64 uniform bits
  double uniform();                      ///< in [0, 1), 53 bits
  std::size_t below(std::size_t bound);  ///< in [0, bound), unbiased; bound > 0
  double normal();                       ///< mean 0, variance 1
  double exponential();                  ///< mean 1
  double gamma(double shape);            ///< scale 1, shape > 0 (Marsaglia and Tsang 2000)
  /// Sums to 1. Drawn in logarithms, so that concentrations far below 1 do not underflow.
  std::vector<double> dirichlet(std::span<const double> concentration);
  /// Index drawn with probability proportional to `weights` (non-negative, not all zero).
  std::size_t categorical(std::span<const double> weights);
  std::vector<std::size_t> permutation(std::size_t count);
  /// `count` distinct indices below `population`, in increasing order.
  std::vector<std::size_t> sample(std::size_t population, std::size_t count);

 private:
  RandomStream(std::array<std::uint32_t, 2> key, std::uint64_t index);
  void refill();

  std::array<std::uint32_t, 2> key_{};
  std::array<std::uint32_t, 4> counter_{};
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;
};

}  // namespace valence
