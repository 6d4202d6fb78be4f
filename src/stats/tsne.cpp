#include <algorithm>
#include <cmath>
#include <limits>

#include "valence/base/random.h"
#include "valence/stats/projection.h"

namespace valence::stats {
namespace {

using Matrix = std::vector<double>;  // rows × rows

double squared_distance(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/// exp(−β·distance) over the others, scaled to 1; returns the entropy in nats.
double neighbourhood(std::span<const double> distances, std::size_t self, double beta, std::span<double> p) {
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < p.size(); ++j) nearest = j == self ? nearest : std::min(nearest, distances[j]);
  double sum = 0.0, weighted = 0.0;
  for (std::size_t j = 0; j < p.size(); ++j) {
    p[j] = j == self ? 0.0 : std::exp(-beta * (distances[j] - nearest));
    sum += p[j];
    weighted += p[j] * (distances[j] - nearest);
  }
  for (auto& x : p) x /= sum;
  return std::log(sum) + beta * weighted / sum;
}

/// β by bisection, so that the neighbourhood's entropy is ln(perplexity).
void fit_neighbourhood(std::span<const double> distances, std::size_t self, double perplexity, std::span<double> p) {
  double low = 0.0, high = std::numeric_limits<double>::infinity(), beta = 1.0;
  constexpr int kHalvings = 60;
  for (int i = 0; i < kHalvings; ++i) {
    const bool wide = neighbourhood(distances, self, beta, p) > std::log(perplexity);
    (wide ? low : high) = beta;
    beta = std::isinf(high) ? beta * 2.0 : (low + high) / 2.0;
  }
}

/// Joint probabilities of neighbours, symmetric, summing to 1.
Matrix affinities(const PointCloud& cloud, double perplexity) {
  const auto n = cloud.rows();
  Matrix joint(n * n, 0.0);
  std::vector<double> distances(n), p(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) distances[j] = squared_distance(cloud.row(i), cloud.row(j));
    fit_neighbourhood(distances, i, perplexity, p);
    for (std::size_t j = 0; j < n; ++j) {
      joint[i * n + j] += p[j] / (2.0 * static_cast<double>(n));
      joint[j * n + i] += p[j] / (2.0 * static_cast<double>(n));
    }
  }
  return joint;
}

/// The gradient of the Kullback–Leibler divergence; `early` exaggerates the affinities.
std::vector<PlanePoint> gradient(const Matrix& joint, const std::vector<PlanePoint>& y, double early) {
  const auto n = y.size();
  Matrix kernel(n * n, 0.0);
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double dx = y[i][0] - y[j][0], dy = y[i][1] - y[j][1];
      kernel[i * n + j] = kernel[j * n + i] = 1.0 / (1.0 + dx * dx + dy * dy);
      sum += 2.0 * kernel[i * n + j];
    }
  }
  std::vector<PlanePoint> slope(n, {0.0, 0.0});
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double force = 4.0 * (early * joint[i * n + j] - kernel[i * n + j] / sum) * kernel[i * n + j];
      slope[i][0] += force * (y[i][0] - y[j][0]);
      slope[i][1] += force * (y[i][1] - y[j][1]);
    }
  }
  return slope;
}

void centre(std::vector<PlanePoint>& y) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    double mean = 0.0;
    for (const auto& point : y) mean += point[axis] / static_cast<double>(y.size());
    for (auto& point : y) point[axis] -= mean;
  }
}

/// The principal plane, shrunk; a little noise parts rows that are equal.
std::vector<PlanePoint> beginning(const PointCloud& cloud, std::uint64_t seed) {
  constexpr double kStart = 1e-2, kNoise = 1e-4;
  auto y = principal_plane(cloud).points;
  double most = 1e-12;
  for (const auto& point : y) most = std::max({most, std::abs(point[0]), std::abs(point[1])});
  RandomStream stream(seed, "tsne");
  for (auto& point : y) {
    for (auto& x : point) x = kStart * x / most + kNoise * stream.normal();
  }
  return y;
}

}  // namespace

std::vector<PlanePoint> tsne(const PointCloud& cloud, const TsneOptions& options) {
  const auto n = cloud.rows();
  if (n < 4) return principal_plane(cloud).points;
  constexpr double kEarly = 12.0, kLeastGain = 0.01;
  const auto joint = affinities(cloud, std::min(options.perplexity, static_cast<double>(n) / 3.0));
  const double rate = std::max(static_cast<double>(n) / kEarly, 50.0);  // Belkina et al. (2019)
  const auto exaggerated = options.steps / 4;
  auto y = beginning(cloud, options.seed);
  std::vector<PlanePoint> velocity(n, {0.0, 0.0}), gain(n, {1.0, 1.0});
  for (std::size_t step = 0; step < options.steps; ++step) {
    const bool early = step < exaggerated;
    const auto slope = gradient(joint, y, early ? kEarly : 1.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t axis = 0; axis < 2; ++axis) {
        const bool against = (slope[i][axis] > 0.0) != (velocity[i][axis] > 0.0);
        gain[i][axis] = std::max(kLeastGain, against ? gain[i][axis] + 0.2 : gain[i][axis] * 0.8);
        velocity[i][axis] = (early ? 0.5 : 0.8) * velocity[i][axis] - rate * gain[i][axis] * slope[i][axis];
        y[i][axis] += velocity[i][axis];
      }
    }
    centre(y);
  }
  return y;
}

}  // namespace valence::stats
