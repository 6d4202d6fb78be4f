// Nearest neighbours among 100,000 vectors: the graph against blocked exact search, both with one thread.
//
//   build/bench/bench/bench_neighbours [VECTORS [QUERIES]]        default 100000 500
//
// Vectors of 384 dimensions that lie near a plane of 32, as sentence embeddings do (a random projection of 32 normal
// numbers, plus a fifth of that in noise on every dimension). Prints seconds of building, the graph's recall of the
// exact nearest 10, and: ratio <name> <median> <low> <high>, the exact search's time over the graph's, interleaved.
#include "valence/evaluate/neighbours.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "command_line.h"
#include "valence/base/random.h"

namespace {

using namespace valence;

constexpr std::size_t kDimensions = 384, kInner = 32, kNearest = 10;
constexpr int kRounds = 5;

std::vector<float> normal_rows(std::uint64_t seed, std::string_view purpose, std::size_t rows, std::size_t columns) {
  RandomStream random(seed, purpose);
  std::vector<float> values(rows * columns);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

std::vector<float> embedding_like(std::uint64_t seed, std::size_t rows) {
  const auto plane = normal_rows(0, "plane", kInner, kDimensions), places = normal_rows(seed, "places", rows, kInner);
  auto values = normal_rows(seed, "noise", rows, kDimensions);
  for (float& value : values) value *= 1.13F;  // a fifth of the plane's spread, sqrt(32)
  for (std::size_t r = 0; r < rows; ++r) {
    float* row = values.data() + r * kDimensions;
    for (std::size_t i = 0; i < kInner; ++i) {
      const float place = places[r * kInner + i];
      const float* direction = plane.data() + i * kDimensions;
      for (std::size_t d = 0; d < kDimensions; ++d) row[d] += place * direction[d];
    }
  }
  return values;
}

template <class Work>
double seconds(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double recall(const std::vector<std::vector<Neighbour>>& truth, const std::vector<std::vector<Neighbour>>& found) {
  std::size_t hits = 0, all = 0;
  for (std::size_t q = 0; q < truth.size(); ++q) {
    all += truth[q].size();
    for (const auto& one : found[q])
      hits += static_cast<std::size_t>(std::ranges::count(truth[q], one.index, &Neighbour::index));
  }
  return static_cast<double>(hits) / static_cast<double>(all);
}

int run(std::size_t count, std::size_t query_count) {
  const auto vectors = embedding_like(1, count), queries = embedding_like(2, query_count);
  Result<std::unique_ptr<NeighbourIndex>> exact, graph;
  const auto exact_build =
      seconds([&] { exact = make_neighbour_index(vectors, kDimensions, {.exact_below = count + 1}); });
  const auto graph_build = seconds([&] { graph = make_neighbour_index(vectors, kDimensions, {.exact_below = 0}); });
  if (!exact || !graph) return 1;
  std::vector<std::vector<Neighbour>> truth, found;
  std::vector<double> ratios;
  double exact_seconds = 0, graph_seconds = 0;
  for (int round = 0; round < kRounds; ++round) {
    exact_seconds = seconds([&] { truth = *(*exact)->search(queries, kNearest); });
    graph_seconds = seconds([&] { found = *(*graph)->search(queries, kNearest); });
    ratios.push_back(exact_seconds / graph_seconds);
  }
  std::ranges::sort(ratios);
  fmt::print("{} vectors of {} dimensions, {} queries, nearest {}\n", count, kDimensions, query_count, kNearest);
  fmt::print("build      exact {:.2f} s, graph {:.1f} s\n", exact_build, graph_build);
  fmt::print("search     exact {:.3f} ms, graph {:.3f} ms a query\n",
             exact_seconds / static_cast<double>(query_count) * 1e3,
             graph_seconds / static_cast<double>(query_count) * 1e3);
  fmt::print("recall     {:.4f}\n", recall(truth, found));
  fmt::print("ratio neighbours_exact_over_graph {:.2f} {:.2f} {:.2f}\n", ratios[kRounds / 2], ratios.front(),
             ratios.back());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t vectors = 100'000, queries = 500;
  CLI::App app("Nearest neighbours: the graph against blocked exact search, one thread each");
  app.add_option("vectors", vectors, "vectors of 384 dimensions")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("queries", queries, "searches of the nearest 10")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  valence::parse_or_exit(app, argc, argv);
  return run(vectors, queries);
}
