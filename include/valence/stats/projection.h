#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace valence::stats {

/// Rows of numbers, row by row: `values[row · columns + column]`, all finite.
struct PointCloud {
  std::size_t columns = 0;
  std::vector<double> values;

  std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
  std::span<const double> row(std::size_t index) const { return std::span(values).subspan(index * columns, columns); }
};

using PlanePoint = std::array<double, 2>;

/// The first two principal components of centred rows.
struct PrincipalPlane {
  std::vector<PlanePoint> points;                ///< one per row
  std::array<std::vector<double>, 2> loadings;   ///< of length 1; the largest entry in absolute value is positive
  std::array<double, 2> explained{0.0, 0.0};     ///< share of the variance along each
};
/// Without two columns and two different rows every share is 0 and every point the origin.
PrincipalPlane principal_plane(const PointCloud& cloud);

struct TsneOptions {
  double perplexity = 30.0;  ///< at most a third of the rows is used
  std::size_t steps = 500;
  std::uint64_t seed = 0;
};
/// t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008), exact: O(rows²) per step, begun on the
/// principal plane. Neighbourhoods mean something in it; distances between groups, sizes and axes do not.
std::vector<PlanePoint> tsne(const PointCloud& cloud, const TsneOptions& options);

/// A partition of rows into groups.
struct Clustering {
  std::size_t count = 0;
  std::vector<std::size_t> of_row;   ///< group of each row, numbered by falling size
  PointCloud centres;                ///< mean row of each group
  double silhouette = 0.0;           ///< mean over rows (Rousseeuw 1987), in [−1, 1]
};
/// k-means (Lloyd, begun as k-means++, the best of ten starts), for the number of groups from 2 to `most` with the largest
/// mean silhouette. One group of everything, silhouette 0, where no partition has a silhouette above 0.25 (no
/// substantial structure, Kaufman and Rousseeuw 1990) or there are fewer than four rows.
Clustering cluster_rows(const PointCloud& cloud, std::size_t most, std::uint64_t seed);

}  // namespace valence::stats
