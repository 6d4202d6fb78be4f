#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "valence/base/random.h"
#include "valence/stats/projection.h"

namespace valence::stats {
namespace {

constexpr double kSubstantial = 0.25;
constexpr std::size_t kStarts = 10, kRounds = 100;

double distance2(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

void append(PointCloud& cloud, std::span<const double> row) { cloud.values.insert(cloud.values.end(), row.begin(), row.end()); }

std::size_t nearest_centre(const PointCloud& centres, std::span<const double> row) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < centres.rows(); ++k) {
    if (distance2(centres.row(k), row) < distance2(centres.row(best), row)) best = k;
  }
  return best;
}

/// k-means++ (Arthur and Vassilvitskii 2007); fewer centres when there are fewer different rows.
PointCloud first_centres(const PointCloud& cloud, std::size_t count, RandomStream stream) {
  PointCloud centres{cloud.columns, {}};
  append(centres, cloud.row(stream.below(cloud.rows())));
  std::vector<double> weights(cloud.rows());
  while (centres.rows() < count) {
    for (std::size_t i = 0; i < cloud.rows(); ++i) weights[i] = distance2(centres.row(nearest_centre(centres, cloud.row(i))), cloud.row(i));
    if (std::accumulate(weights.begin(), weights.end(), 0.0) <= 0.0) break;
    append(centres, cloud.row(stream.categorical(weights)));
  }
  return centres;
}

struct Partition {
  PointCloud centres;
  std::vector<std::size_t> of_row;
  double cost = std::numeric_limits<double>::infinity();
};

void move_centres(Partition& partition, const PointCloud& cloud) {
  const auto columns = cloud.columns;
  std::vector<double> sums(partition.centres.values.size(), 0.0), counts(partition.centres.rows(), 0.0);
  for (std::size_t i = 0; i < cloud.rows(); ++i) {
    counts[partition.of_row[i]] += 1.0;
    for (std::size_t j = 0; j < columns; ++j) sums[partition.of_row[i] * columns + j] += cloud.row(i)[j];
  }
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0.0) continue;  // stays where it was
    for (std::size_t j = 0; j < columns; ++j) partition.centres.values[k * columns + j] = sums[k * columns + j] / counts[k];
  }
}

Partition lloyd(const PointCloud& cloud, PointCloud centres) {
  Partition partition{std::move(centres), std::vector<std::size_t>(cloud.rows(), 0)};
  for (std::size_t round = 0; round < kRounds; ++round) {
    bool moved = round == 0;
    for (std::size_t i = 0; i < cloud.rows(); ++i) {
      const auto nearest = nearest_centre(partition.centres, cloud.row(i));
      moved = moved || nearest != partition.of_row[i];
      partition.of_row[i] = nearest;
    }
    if (!moved) break;
    move_centres(partition, cloud);
  }
  partition.cost = 0.0;
  for (std::size_t i = 0; i < cloud.rows(); ++i) partition.cost += distance2(partition.centres.row(partition.of_row[i]), cloud.row(i));
  return partition;
}

Partition best_partition(const PointCloud& cloud, std::size_t count, std::uint64_t seed) {
  Partition best;
  for (std::size_t start = 0; start < kStarts; ++start) {
    auto partition = lloyd(cloud, first_centres(cloud, count, RandomStream(seed, "k-means", count * kStarts + start)));
    if (partition.cost < best.cost) best = std::move(partition);
  }
  return best;
}

/// Mean over rows of (b − a) / max(a, b): a the mean distance to the own group, b to the nearest other. A group of one
/// counts 0.
double silhouette(const PointCloud& cloud, const std::vector<std::size_t>& of_row, std::size_t count) {
  double total = 0.0;
  for (std::size_t i = 0; i < cloud.rows(); ++i) {
    std::vector<double> sums(count, 0.0), counts(count, 0.0);
    for (std::size_t j = 0; j < cloud.rows(); ++j) {
      if (i == j) continue;
      sums[of_row[j]] += std::sqrt(distance2(cloud.row(i), cloud.row(j)));
      counts[of_row[j]] += 1.0;
    }
    if (counts[of_row[i]] == 0.0) continue;
    const double own = sums[of_row[i]] / counts[of_row[i]];
    double other = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < count; ++k) other = k == of_row[i] || counts[k] == 0.0 ? other : std::min(other, sums[k] / counts[k]);
    if (std::isfinite(other) && std::max(own, other) > 0.0) total += (other - own) / std::max(own, other);
  }
  return total / static_cast<double>(cloud.rows());
}

/// Groups renumbered by falling size, empty ones left out.
Clustering numbered(const Partition& partition, double score, std::size_t columns) {
  std::vector<std::size_t> sizes(partition.centres.rows(), 0), order(sizes.size()), place(sizes.size());
  for (const auto k : partition.of_row) ++sizes[k];
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return sizes[a] > sizes[b]; });
  Clustering clustering{0, {}, {columns, {}}, score};
  for (const auto k : order) {
    if (sizes[k] == 0) continue;
    place[k] = clustering.count++;
    append(clustering.centres, partition.centres.row(k));
  }
  for (const auto k : partition.of_row) clustering.of_row.push_back(place[k]);
  return clustering;
}

}  // namespace

Clustering cluster_rows(const PointCloud& cloud, std::size_t most, std::uint64_t seed) {
  auto best = best_partition(cloud, 1, seed);
  double highest = kSubstantial;
  bool parted = false;
  for (std::size_t count = 2; cloud.rows() >= 4 && count <= most; ++count) {
    auto partition = best_partition(cloud, count, seed);
    const double score = silhouette(cloud, partition.of_row, partition.centres.rows());
    if (score <= highest) continue;
    highest = score;
    parted = true;
    best = std::move(partition);
  }
  return numbered(best, parted ? highest : 0.0, cloud.columns);
}

}  // namespace valence::stats
