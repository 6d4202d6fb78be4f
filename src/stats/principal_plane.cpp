#include <algorithm>
#include <cmath>
#include <numeric>

#include "valence/stats/projection.h"

namespace valence::stats {
namespace {

/// A symmetric matrix, row by row.
struct Symmetric {
  std::size_t size;
  std::vector<double> values;
  double& at(std::size_t i, std::size_t j) { return values[i * size + j]; }
};

std::vector<double> column_means(const PointCloud& cloud) {
  std::vector<double> means(cloud.columns, 0.0);
  for (std::size_t row = 0; row < cloud.rows(); ++row) {
    for (std::size_t j = 0; j < cloud.columns; ++j) means[j] += cloud.row(row)[j] / static_cast<double>(cloud.rows());
  }
  return means;
}

Symmetric covariance(const PointCloud& cloud, const std::vector<double>& means) {
  Symmetric matrix{cloud.columns, std::vector<double>(cloud.columns * cloud.columns, 0.0)};
  for (std::size_t row = 0; row < cloud.rows(); ++row) {
    const auto x = cloud.row(row);
    for (std::size_t i = 0; i < cloud.columns; ++i) {
      for (std::size_t j = 0; j < cloud.columns; ++j) matrix.at(i, j) += (x[i] - means[i]) * (x[j] - means[j]);
    }
  }
  return matrix;
}

/// Turns the plane of i and j so that their entry vanishes; `vectors` turn along.
void rotate(Symmetric& a, Symmetric& vectors, std::size_t i, std::size_t j) {
  if (a.at(i, j) == 0.0) return;
  const double theta = (a.at(j, j) - a.at(i, i)) / (2.0 * a.at(i, j));
  const double t = (theta >= 0.0 ? 1.0 : -1.0) / (std::abs(theta) + std::hypot(theta, 1.0));
  const double c = 1.0 / std::hypot(t, 1.0), s = t * c;
  for (std::size_t k = 0; k < a.size; ++k) {
    const double x = a.at(k, i), y = a.at(k, j);
    a.at(k, i) = c * x - s * y;
    a.at(k, j) = s * x + c * y;
  }
  for (std::size_t k = 0; k < a.size; ++k) {
    const double x = a.at(i, k), y = a.at(j, k);
    a.at(i, k) = c * x - s * y;
    a.at(j, k) = s * x + c * y;
    const double u = vectors.at(k, i), v = vectors.at(k, j);
    vectors.at(k, i) = c * u - s * v;
    vectors.at(k, j) = s * u + c * v;
  }
}

/// Eigenvectors in the columns, by cyclic Jacobi rotations; `a` becomes diagonal.
Symmetric eigenvectors(Symmetric& a) {
  Symmetric vectors{a.size, std::vector<double>(a.size * a.size, 0.0)};
  for (std::size_t i = 0; i < a.size; ++i) vectors.at(i, i) = 1.0;
  constexpr int kSweeps = 30;  // ten or so suffice at this size
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::size_t i = 0; i + 1 < a.size; ++i) {
      for (std::size_t j = i + 1; j < a.size; ++j) rotate(a, vectors, i, j);
    }
  }
  return vectors;
}

std::vector<double> loading(Symmetric& vectors, std::size_t column) {
  std::vector<double> entries;
  for (std::size_t i = 0; i < vectors.size; ++i) entries.push_back(vectors.at(i, column));
  const auto largest = *std::max_element(entries.begin(), entries.end(), [](double x, double y) { return std::abs(x) < std::abs(y); });
  for (auto& entry : entries) entry *= largest < 0.0 ? -1.0 : 1.0;
  return entries;
}

}  // namespace

PrincipalPlane principal_plane(const PointCloud& cloud) {
  PrincipalPlane plane;
  plane.points.assign(cloud.rows(), {0.0, 0.0});
  plane.loadings = {std::vector<double>(cloud.columns, 0.0), std::vector<double>(cloud.columns, 0.0)};
  if (cloud.columns < 2 || cloud.rows() < 2) return plane;
  const auto means = column_means(cloud);
  auto matrix = covariance(cloud, means);
  auto vectors = eigenvectors(matrix);
  std::vector<std::size_t> order(cloud.columns);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return matrix.at(i, i) > matrix.at(j, j); });
  double total = 0.0;
  for (std::size_t i = 0; i < cloud.columns; ++i) total += matrix.at(i, i);
  if (total <= 0.0) return plane;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    plane.loadings[axis] = loading(vectors, order[axis]);
    plane.explained[axis] = matrix.at(order[axis], order[axis]) / total;
    for (std::size_t row = 0; row < cloud.rows(); ++row) {
      for (std::size_t j = 0; j < cloud.columns; ++j) plane.points[row][axis] += (cloud.row(row)[j] - means[j]) * plane.loadings[axis][j];
    }
  }
  return plane;
}

}  // namespace valence::stats
