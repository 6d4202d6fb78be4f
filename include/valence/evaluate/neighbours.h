#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "valence/base/result.h"

namespace valence {

struct Neighbour {
  std::size_t index;  ///< row of the vectors that the index was made of
  float cosine;       ///< with the query, in [-1, 1]
};

/// The graph's settings are those of Malkov and Yashunin (2018).
struct NeighbourOptions {
  std::size_t exact_below = 20'000;  ///< fewer vectors are searched exactly, as many or more through a graph
  std::size_t links = 16;            ///< M: neighbours that a vector keeps per level of the graph, 2 to 100
  std::size_t build_breadth = 200;   ///< efConstruction: candidates while building
  std::size_t search_breadth = 200;  ///< ef: candidates while searching; more = slower and nearer to exact
  std::uint64_t seed = 1;            ///< of the graph's levels
};

/// The nearest of many vectors by cosine. Used from one thread at a time.
class NeighbourIndex {
 public:
  virtual ~NeighbourIndex() = default;
  virtual std::size_t size() const = 0;
  virtual std::size_t dimensions() const = 0;
  virtual bool exact() const = 0;
  /// For each query (row after row) the `count` nearest, nearest first, equals by row; all of them if there are fewer.
  /// kWrongCount when the queries are no whole rows; kInvalid for a query that is zero or not finite.
  virtual Result<std::vector<std::vector<Neighbour>>> search(std::span<const float> queries,
                                                             std::size_t count) const = 0;
};

/// Copies the vectors (row after row) and scales them to length 1. The same vectors and options give the same index.
/// kWrongCount when they are no whole rows, or none; kInvalid, naming the row, for one that is zero or not finite.
Result<std::unique_ptr<NeighbourIndex>> make_neighbour_index(std::span<const float> vectors, std::size_t dimensions,
                                                             const NeighbourOptions& options = {});

}  // namespace valence
