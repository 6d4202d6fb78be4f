#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace valence {

/// A response to a prompt and what it is worth. A NaN reward stands for one that could not be read: it is never chosen.
struct Candidate {
  std::string_view text;
  double reward;
};

/// Indices of the `keep` responses with the largest rewards, best first, or of all that could be read: best of n (keep
/// = 1), rejection sampling, expert iteration (SFT on what is returned, round after round). Which are best does not
/// depend on the order in which they were drawn: of equal rewards the text that comes first in byte order.
std::vector<std::size_t> best_of(std::span<const Candidate> candidates, std::size_t keep = 1);

/// A preference made of a difference in reward.
struct RankedPair {
  std::size_t chosen, rejected;  ///< indices of candidates
  double margin;                 ///< reward of the chosen minus that of the rejected
};

/// Of one prompt's responses the best against the worst, the second best against the second worst, and so on, `most`
/// pairs at most; none with a margin below `margin` or of 0, since its direction would be chance. The order of drawing
/// plays no part.
std::vector<RankedPair> ranked_pairs(std::span<const Candidate> candidates, double margin, std::size_t most);

/// How far best-of-n selection can move a subject: KL ≤ log n − (n − 1)/n, in nats. n at least 1.
double best_of_n_bound(std::size_t n);

}  // namespace valence
