#include "valence/align/ranking.h"

#include <algorithm>
#include <cmath>

namespace valence {
namespace {

/// Readable candidates, best first.
std::vector<std::size_t> ranked(std::span<const Candidate> candidates) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!std::isnan(candidates[i].reward)) order.push_back(i);
  }
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    const auto &x = candidates[a], &y = candidates[b];
    return x.reward != y.reward ? x.reward > y.reward : x.text < y.text;
  });
  return order;
}

}  // namespace

std::vector<std::size_t> best_of(std::span<const Candidate> candidates, std::size_t keep) {
  auto order = ranked(candidates);
  if (order.size() > keep) order.resize(keep);
  return order;
}

std::vector<RankedPair> ranked_pairs(std::span<const Candidate> candidates, double margin, std::size_t most) {
  const auto order = ranked(candidates);
  std::vector<RankedPair> pairs;
  for (std::size_t i = 0; i < order.size() / 2 && pairs.size() < most; ++i) {
    const RankedPair pair{order[i], order[order.size() - 1 - i],
                          candidates[order[i]].reward - candidates[order[order.size() - 1 - i]].reward};
    if (pair.margin < margin || pair.margin <= 0.0) break;  // those further in are nearer still
    pairs.push_back(pair);
  }
  return pairs;
}

double best_of_n_bound(std::size_t n) {
  const auto count = static_cast<double>(n);
  return std::log(count) - (count - 1.0) / count;
}

}  // namespace valence
