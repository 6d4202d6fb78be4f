// The only file that includes hnswlib: its headers define functions that may exist once in a program.
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <exception>

#include "unit_rows.h"

namespace valence {
namespace {

using Graph = hnswlib::HierarchicalNSW<float>;

class GraphIndex : public NeighbourIndex {
 public:
  GraphIndex(std::span<const float> rows, std::size_t dimensions, const NeighbourOptions& options);

  std::size_t size() const override { return graph_.cur_element_count; }
  std::size_t dimensions() const override { return dimensions_; }
  bool exact() const override { return false; }
  Result<std::vector<std::vector<Neighbour>>> search(std::span<const float> queries, std::size_t count) const override;

 private:
  std::vector<Neighbour> nearest_to(const float* query, std::size_t count) const;

  std::size_t dimensions_;
  hnswlib::InnerProductSpace space_;
  Graph graph_;
};

/// Vectors are added one after another: a graph built by several threads differs from run to run.
GraphIndex::GraphIndex(std::span<const float> rows, std::size_t dimensions, const NeighbourOptions& options)
    : dimensions_(dimensions), space_(dimensions),
      graph_(&space_, rows.size() / dimensions, options.links, options.build_breadth, options.seed) {
  graph_.setEf(options.search_breadth);
  for (std::size_t row = 0; row < rows.size() / dimensions; ++row) graph_.addPoint(rows.data() + row * dimensions, row);
}

std::vector<Neighbour> GraphIndex::nearest_to(const float* query, std::size_t count) const {
  auto queue = graph_.searchKnn(query, count);
  std::vector<Neighbour> found;
  for (; !queue.empty(); queue.pop()) found.push_back({queue.top().second, 1.0F - queue.top().first});
  std::ranges::sort(found, is_nearer);
  return found;
}

Result<std::vector<std::vector<Neighbour>>> GraphIndex::search(std::span<const float> given, std::size_t count) const {
  VALENCE_TRY(const auto queries, unit_rows(given, dimensions_, "query"));
  std::vector<std::vector<Neighbour>> found(queries.size() / dimensions_);
  try {
    for (std::size_t q = 0; q < found.size(); ++q) found[q] = nearest_to(queries.data() + q * dimensions_, std::min(count, size()));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kModel, "the search for neighbours failed: {}", error.what());
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<NeighbourIndex>> make_graph_index(std::span<const float> rows, std::size_t dimensions,
                                                         const NeighbourOptions& options) {
  if (options.links < 2 || options.links > 100 || options.build_breadth < 1 || options.search_breadth < 1) {
    return fail(ErrorCode::kUsage, "a graph of {} links, breadths {} and {}: choose 2 to 100 links and breadths of at least 1",
                options.links, options.build_breadth, options.search_breadth);
  }
  try {
    return std::make_unique<GraphIndex>(rows, dimensions, options);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kModel, "the graph of {} vectors could not be built: {}", rows.size() / dimensions, error.what());
  }
}

}  // namespace valence
