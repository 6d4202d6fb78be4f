#include <Eigen/Core>
#include <algorithm>

#include "unit_rows.h"

namespace valence {
namespace {

// A block's cosines (256 KiB) stay in the cache while they are looked through.
constexpr std::size_t kQueryBlock = 32;
constexpr std::size_t kVectorBlock = 2048;

using Rows = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

Rows rows_of(const std::vector<float>& values, std::size_t first, std::size_t count, std::size_t dimensions) {
  return {values.data() + first * dimensions, static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(dimensions)};
}

/// The nearest so far as a heap whose front is the worst of them.
void offer(std::vector<Neighbour>& best, Neighbour candidate, std::size_t count) {
  if (best.size() == count) {
    if (!is_nearer(candidate, best.front())) return;
    std::ranges::pop_heap(best, is_nearer);
    best.pop_back();
  }
  best.push_back(candidate);
  std::ranges::push_heap(best, is_nearer);
}

class ExactIndex : public NeighbourIndex {
 public:
  ExactIndex(std::vector<float> rows, std::size_t dimensions) : rows_(std::move(rows)), dimensions_(dimensions) {}

  std::size_t size() const override { return rows_.size() / dimensions_; }
  std::size_t dimensions() const override { return dimensions_; }
  bool exact() const override { return true; }
  Result<std::vector<std::vector<Neighbour>>> search(std::span<const float> queries, std::size_t count) const override;

 private:
  void search_block(const std::vector<float>& queries, std::size_t first_query, std::size_t first_row, std::size_t count,
                    std::vector<std::vector<Neighbour>>& found) const;

  std::vector<float> rows_;
  std::size_t dimensions_;
};

void ExactIndex::search_block(const std::vector<float>& queries, std::size_t first_query, std::size_t first_row, std::size_t count,
                              std::vector<std::vector<Neighbour>>& found) const {
  const auto query_count = std::min(kQueryBlock, found.size() - first_query), row_count = std::min(kVectorBlock, size() - first_row);
  const Eigen::MatrixXf cosines = rows_of(rows_, first_row, row_count, dimensions_) *
                                  rows_of(queries, first_query, query_count, dimensions_).transpose();
  for (std::size_t q = 0; q < query_count; ++q) {
    const float* column = cosines.col(static_cast<Eigen::Index>(q)).data();
    auto& best = found[first_query + q];
    for (std::size_t r = 0; r < row_count; ++r) {
      if (best.size() < count || column[r] >= best.front().cosine) offer(best, {first_row + r, column[r]}, count);
    }
  }
}

Result<std::vector<std::vector<Neighbour>>> ExactIndex::search(std::span<const float> given, std::size_t count) const {
  VALENCE_TRY(const auto queries, unit_rows(given, dimensions_, "query"));
  std::vector<std::vector<Neighbour>> found(queries.size() / dimensions_);
  if (count == 0) return found;
  for (std::size_t query = 0; query < found.size(); query += kQueryBlock) {
    for (std::size_t row = 0; row < size(); row += kVectorBlock) search_block(queries, query, row, count, found);
  }
  for (auto& best : found) std::ranges::sort_heap(best, is_nearer);
  return found;
}

}  // namespace

std::unique_ptr<NeighbourIndex> make_exact_index(std::vector<float> rows, std::size_t dimensions) {
  return std::make_unique<ExactIndex>(std::move(rows), dimensions);
}

}  // namespace valence
