#include "valence/evaluate/neighbours.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "valence/base/random.h"

namespace valence {
namespace {

std::vector<float> random_rows(std::uint64_t seed, std::size_t rows, std::size_t dimensions) {
  RandomStream random(seed, "rows");
  std::vector<float> values(rows * dimensions);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// Rows that lie near a plane of few dimensions, as embeddings do.
std::vector<float> flat_rows(std::uint64_t seed, std::size_t rows, std::size_t dimensions, std::size_t inner) {
  const auto directions = random_rows(7, inner, dimensions), places = random_rows(seed, rows, inner);
  auto values = random_rows(seed + 1, rows, dimensions);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t d = 0; d < dimensions; ++d) {
      float sum = 0.2F * values[r * dimensions + d];
      for (std::size_t i = 0; i < inner; ++i) sum += places[r * inner + i] * directions[i * dimensions + d];
      values[r * dimensions + d] = sum;
    }
  }
  return values;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t d = 0; d < a.size(); ++d) {
    const double x = static_cast<double>(a[d]), y = static_cast<double>(b[d]);
    dot += x * y, aa += x * x, bb += y * y;
  }
  return dot / std::sqrt(aa * bb);
}

std::vector<double> all_cosines(const std::vector<float>& rows, std::span<const float> query) {
  std::vector<double> cosines;
  for (std::size_t first = 0; first < rows.size(); first += query.size()) {
    cosines.push_back(cosine(std::span(rows).subspan(first, query.size()), query));
  }
  return cosines;
}

std::unique_ptr<NeighbourIndex> made(std::span<const float> rows, std::size_t dimensions, const NeighbourOptions& options = {}) {
  auto index = make_neighbour_index(rows, dimensions, options);
  if (!index) throw std::runtime_error(index.error().message);
  return *std::move(index);
}

TEST(NeighbourIndex, ExactEqualsBruteForce) {
  rc::check([] {
    const auto rows = *rc::gen::inRange<std::size_t>(1, 200), dimensions = *rc::gen::inRange<std::size_t>(1, 40);
    const auto queries = *rc::gen::inRange<std::size_t>(1, 70), count = *rc::gen::inRange<std::size_t>(1, 12);
    const auto vectors = random_rows(*rc::gen::arbitrary<std::uint64_t>(), rows, dimensions);
    const auto asked = random_rows(*rc::gen::arbitrary<std::uint64_t>(), queries, dimensions);
    const auto found = *made(vectors, dimensions)->search(asked, count);
    RC_ASSERT(found.size() == queries);
    for (std::size_t q = 0; q < queries; ++q) {
      auto truth = all_cosines(vectors, std::span(asked).subspan(q * dimensions, dimensions));
      RC_ASSERT(found[q].size() == std::min(count, rows));
      for (const auto& one : found[q]) RC_ASSERT(std::abs(static_cast<double>(one.cosine) - truth[one.index]) < 1e-5);
      std::ranges::sort(truth, std::greater<>{});
      for (std::size_t k = 0; k < found[q].size(); ++k) {
        RC_ASSERT(std::abs(static_cast<double>(found[q][k].cosine) - truth[k]) < 1e-5);
      }
    }
  });
}

TEST(NeighbourIndex, BlocksJoinWithoutSeams) {
  // More than two blocks of vectors and of queries; each vector's nearest is itself.
  const auto vectors = random_rows(3, 5000, 8);
  const auto index = made(vectors, 8);
  const auto found = *index->search(vectors, 1);
  for (std::size_t row = 0; row < found.size(); ++row) EXPECT_EQ(found[row].front().index, row);
}

TEST(NeighbourIndex, EqualsComeByRowAndNearestFirst) {
  const std::vector<float> vectors{0, 2, 1, 0, 0, 1, 3, 0, -1, 0};
  const std::vector<float> query{5, 0};
  const auto found = made(vectors, 2)->search(query, 5)->front();
  ASSERT_EQ(found.size(), 5U);
  std::vector<std::size_t> order;
  for (const auto& one : found) order.push_back(one.index);
  EXPECT_EQ(order, (std::vector<std::size_t>{1, 3, 0, 2, 4}));
  EXPECT_FLOAT_EQ(found.front().cosine, 1.0F);
  EXPECT_FLOAT_EQ(found.back().cosine, -1.0F);
}

TEST(NeighbourIndex, TheGraphTakesOverAtItsBoundary) {
  const auto vectors = random_rows(1, 50, 4);
  EXPECT_TRUE(made(vectors, 4, {.exact_below = 51})->exact());
  EXPECT_FALSE(made(vectors, 4, {.exact_below = 50})->exact());
  EXPECT_EQ(made(vectors, 4, {.exact_below = 50})->size(), 50U);
  EXPECT_EQ(NeighbourOptions{}.exact_below, 20'000U);
}

TEST(NeighbourIndex, TheGraphFindsNearlyAllOfTheNearestTen) {
  constexpr std::size_t kDimensions = 48, kRows = 6000, kQueries = 200, kCount = 10;
  const auto vectors = flat_rows(1, kRows, kDimensions, 12), queries = flat_rows(5, kQueries, kDimensions, 12);
  const auto truth = *made(vectors, kDimensions)->search(queries, kCount);
  const auto found = *made(vectors, kDimensions, {.exact_below = 0})->search(queries, kCount);
  std::size_t hits = 0;
  for (std::size_t q = 0; q < kQueries; ++q) {
    ASSERT_EQ(found[q].size(), kCount);
    EXPECT_TRUE(std::ranges::is_sorted(found[q], std::greater<>{}, &Neighbour::cosine));
    for (const auto& one : found[q]) hits += static_cast<std::size_t>(std::ranges::count(truth[q], one.index, &Neighbour::index));
  }
  const double recall = static_cast<double>(hits) / static_cast<double>(kQueries * kCount);
  RecordProperty("recall", std::to_string(recall));
  EXPECT_GE(recall, 0.98);
}

TEST(NeighbourIndex, TheSameGraphIsBuiltAgain) {
  const auto vectors = random_rows(2, 1000, 16), queries = random_rows(3, 50, 16);
  const NeighbourOptions options{.exact_below = 0, .links = 4, .build_breadth = 10, .search_breadth = 10};
  const auto a = *made(vectors, 16, options)->search(queries, 5), b = *made(vectors, 16, options)->search(queries, 5);
  for (std::size_t q = 0; q < a.size(); ++q) {
    ASSERT_EQ(a[q].size(), b[q].size());
    for (std::size_t k = 0; k < a[q].size(); ++k) EXPECT_EQ(a[q][k].index, b[q][k].index);
  }
}

TEST(NeighbourIndex, FewerVectorsThanAskedForGiveAllOfThem) {
  const auto vectors = random_rows(1, 3, 4);
  for (const std::size_t boundary : {0, 100}) {
    const auto index = made(vectors, 4, {.exact_below = boundary});
    EXPECT_EQ(index->search(vectors, 10)->front().size(), 3U);
    EXPECT_TRUE(index->search(vectors, 0)->front().empty());
  }
}

TEST(NeighbourIndex, VectorsWithoutDirectionAreRefused) {
  const std::vector<float> zero{1, 0, 0, 0}, odd{1, 2, 3}, good{1, 2}, wild{1, std::nanf("")};
  const auto refused = [](const std::vector<float>& rows) { return make_neighbour_index(rows, 2).error().message; };
  EXPECT_EQ(refused(zero), "vector 2 is zero: it has no direction");
  EXPECT_EQ(refused(wild), "vector 1 is not finite: it has no direction");
  EXPECT_EQ(refused(odd), "3 numbers make no whole vector of 2 dimensions");
  EXPECT_EQ(refused({}), "0 numbers make no whole vector of 2 dimensions");
  EXPECT_EQ(made(good, 2)->search(zero, 1).error().message, "query 2 is zero: it has no direction");
  EXPECT_EQ(make_neighbour_index(good, 2, {.exact_below = 0, .links = 1}).error().message,
            "a graph of 1 links, breadths 200 and 200: choose 2 to 100 links and breadths of at least 1");
}

}  // namespace
}  // namespace valence
