#include "valence/stats/projection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "valence/base/random.h"

namespace valence::stats {
namespace {

/// Rows around `centres`, `each` per centre, spread 0.05.
PointCloud blobs(const std::vector<std::vector<double>>& centres, std::size_t each) {
  RandomStream stream(3, "blobs");
  PointCloud cloud{centres.front().size(), {}};
  for (const auto& centre : centres) {
    for (std::size_t i = 0; i < each; ++i) {
      for (const double x : centre) cloud.values.push_back(x + 0.05 * stream.normal());
    }
  }
  return cloud;
}

TEST(PrincipalPlane, OfAnEllipseIsItsAxes) {
  // (±2, ±2)/√2 along (1, 1), (±1, ∓1)/√2 along (1, −1): variances 4 and 1, a third column of nothing.
  const double a = std::sqrt(2.0), b = std::sqrt(0.5);
  const PointCloud cloud{3, {a, a, 5, -a, -a, 5, b, -b, 5, -b, b, 5}};
  const auto plane = principal_plane(cloud);
  EXPECT_NEAR(plane.explained[0], 0.8, 1e-12);
  EXPECT_NEAR(plane.explained[1], 0.2, 1e-12);
  EXPECT_NEAR(std::abs(plane.loadings[0][0]), b, 1e-12);
  EXPECT_NEAR(plane.loadings[0][0], plane.loadings[0][1], 1e-12);
  EXPECT_NEAR(plane.loadings[0][2], 0.0, 1e-12);
  EXPECT_NEAR(std::abs(plane.points[0][0]), 2.0, 1e-12);
  EXPECT_NEAR(plane.points[0][1], 0.0, 1e-12);
  EXPECT_NEAR(std::abs(plane.points[2][1]), 1.0, 1e-12);
}

TEST(PrincipalPlane, OfEqualRowsIsTheOrigin) {
  const auto plane = principal_plane({2, {1, 2, 1, 2, 1, 2}});
  EXPECT_EQ(plane.explained[0], 0.0);
  for (const auto& point : plane.points) EXPECT_EQ(point, (PlanePoint{0.0, 0.0}));
}

TEST(ClusterRows, FindsGroupsThatAreThere) {
  const auto cloud = blobs({{0, 0, 0}, {1, 0, 0}, {0, 1, 1}}, 20);
  const auto clustering = cluster_rows(cloud, 8, 1);
  ASSERT_EQ(clustering.count, 3u);
  EXPECT_GT(clustering.silhouette, 0.8);
  for (std::size_t i = 0; i < cloud.rows(); ++i) EXPECT_EQ(clustering.of_row[i], clustering.of_row[i / 20 * 20]) << i;
  EXPECT_EQ(std::set<std::size_t>(clustering.of_row.begin(), clustering.of_row.end()).size(), 3u);
  EXPECT_EQ(clustering.centres.rows(), 3u);
}

TEST(ClusterRows, DoesNotPartWhatIsOneGroup) {
  RandomStream stream(5, "one");
  PointCloud cloud{10, {}};
  for (int i = 0; i < 2000; ++i) cloud.values.push_back(stream.normal());
  const auto clustering = cluster_rows(cloud, 8, 1);
  EXPECT_EQ(clustering.count, 1u);
  EXPECT_EQ(clustering.silhouette, 0.0);
}

TEST(ClusterRows, OfEqualRowsIsOneGroup) { EXPECT_EQ(cluster_rows({2, std::vector<double>(20, 0.5)}, 8, 1).count, 1u); }

TEST(ClusterRows, NumbersGroupsBySize) {
  auto cloud = blobs({{0, 0}}, 5);
  const auto more = blobs({{3, 3}}, 9);
  cloud.values.insert(cloud.values.end(), more.values.begin(), more.values.end());
  const auto clustering = cluster_rows(cloud, 4, 1);
  ASSERT_EQ(clustering.count, 2u);
  EXPECT_EQ(clustering.of_row.back(), 0u);
  EXPECT_NEAR(clustering.centres.row(0)[0], 3.0, 0.1);
}

/// Share of rows whose nearest other row in the plane is of the same blob.
double same_neighbour(const std::vector<PlanePoint>& points, std::size_t each) {
  double same = 0.0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::size_t nearest = i == 0 ? 1 : 0;
    const auto gap = [&](std::size_t j) { return std::hypot(points[i][0] - points[j][0], points[i][1] - points[j][1]); };
    for (std::size_t j = 0; j < points.size(); ++j) nearest = j != i && gap(j) < gap(nearest) ? j : nearest;
    same += nearest / each == i / each ? 1.0 : 0.0;
  }
  return same / static_cast<double>(points.size());
}

TEST(Tsne, KeepsNeighboursTogetherThatAPlaneCannotShow) {
  // Four corners of a tetrahedron in five dimensions and the origin: no plane shows all five apart equally well.
  const auto cloud = blobs({{1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 1, 0}, {0, 0, 0, 0, 1}}, 20);
  const auto points = tsne(cloud, {.perplexity = 10.0, .steps = 300, .seed = 1});
  EXPECT_GE(same_neighbour(points, 20), 0.99);
  for (const auto& point : points) EXPECT_TRUE(std::isfinite(point[0]) && std::isfinite(point[1]));
}

TEST(Tsne, TheSameSeedGivesTheSamePicture) {
  const auto cloud = blobs({{0, 0, 1}, {1, 0, 0}}, 10);
  EXPECT_EQ(tsne(cloud, {.perplexity = 5.0, .steps = 50, .seed = 1}), tsne(cloud, {.perplexity = 5.0, .steps = 50, .seed = 1}));
}

TEST(Tsne, EqualRowsAreNoTrouble) {
  const auto points = tsne({2, std::vector<double>(20, 0.5)}, {.perplexity = 3.0, .steps = 50, .seed = 1});
  for (const auto& point : points) EXPECT_TRUE(std::isfinite(point[0]));
}

}  // namespace
}  // namespace valence::stats
