#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/neighbours.h"

namespace valence {

/// Rows scaled to length 1. Errors as make_neighbour_index; `what`: "vector" or "query".
Result<std::vector<float>> unit_rows(std::span<const float> values, std::size_t dimensions, std::string_view what);

/// Whether `a` comes before `b` in an answer: nearer, or equally near and earlier.
inline bool is_nearer(const Neighbour& a, const Neighbour& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.index < b.index;
}

std::unique_ptr<NeighbourIndex> make_exact_index(std::vector<float> rows, std::size_t dimensions);
Result<std::unique_ptr<NeighbourIndex>> make_graph_index(std::span<const float> rows, std::size_t dimensions,
                                                         const NeighbourOptions& options);

}  // namespace valence
