#include "valence/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

namespace valence {
namespace {

using Block = std::array<std::uint32_t, 4>;

// Known answers published with Random123 (kat_vectors, philox4x32 10 rounds).
TEST(Philox, MatchesThePublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

struct Moments {
  double mean, variance;
};

Moments moments_of(const std::function<double(RandomStream&)>& draw) {
  constexpr int kDraws = 200'000;
  RandomStream stream(7, "moments");
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw(stream);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

// Tolerances are above four standard errors at 200,000 draws.
void expect_moments(const std::function<double(RandomStream&)>& draw, double mean, double variance) {
  const auto found = moments_of(draw);
  const double spread = std::sqrt(variance);
  EXPECT_NEAR(found.mean, mean, 0.01 * spread);
  EXPECT_NEAR(found.variance, variance, 0.06 * variance);
}

TEST(RandomStream, DistributionsHaveTheirMoments) {
  expect_moments([](RandomStream& s) { return s.uniform(); }, 0.5, 1.0 / 12.0);
  expect_moments([](RandomStream& s) { return s.normal(); }, 0.0, 1.0);
  expect_moments([](RandomStream& s) { return s.exponential(); }, 1.0, 1.0);
  expect_moments([](RandomStream& s) { return s.gamma(4.5); }, 4.5, 4.5);
  expect_moments([](RandomStream& s) { return s.gamma(1.0); }, 1.0, 1.0);
  expect_moments([](RandomStream& s) { return s.gamma(0.3); }, 0.3, 0.3);
  expect_moments([](RandomStream& s) { return static_cast<double>(s.below(6)); }, 2.5, 35.0 / 12.0);
}

/// Largest distance between the empirical and the true distribution function.
double kolmogorov(std::vector<double> draws, const std::function<double(double)>& truth) {
  std::sort(draws.begin(), draws.end());
  const auto n = static_cast<double>(draws.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const auto below = static_cast<double>(i) / n;
    const double p = truth(draws[i]);
    distance = std::max({distance, p - below, below + 1.0 / n - p});
  }
  return distance;
}

std::vector<double> drawn(const std::function<double(RandomStream&)>& draw) {
  std::vector<double> draws(100'000);
  RandomStream stream(11, "shape");
  for (double& x : draws) x = draw(stream);
  return draws;
}

TEST(RandomStream, DistributionsHaveTheirShape) {
  constexpr double kBound = 0.00615;  // P(D > 1.95 / sqrt(100,000)) is about 0.001
  EXPECT_LT(kolmogorov(drawn([](auto& s) { return s.uniform(); }), [](double x) { return x; }), kBound);
  EXPECT_LT(kolmogorov(drawn([](auto& s) { return s.exponential(); }), [](double x) { return -std::expm1(-x); }),
            kBound);
  EXPECT_LT(kolmogorov(drawn([](auto& s) { return s.normal(); }),
                       [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }),
            kBound);
  // Gamma(1/2) is half a squared normal: its distribution function is erf(sqrt(x)).
  EXPECT_LT(kolmogorov(drawn([](auto& s) { return s.gamma(0.5); }), [](double x) { return std::erf(std::sqrt(x)); }),
            kBound);
}

// Checked once against a second implementation (hashlib, Python integers); reals to 2 units in the last place.
TEST(RandomStream, FirstNumbersArePinned) {
  RandomStream stream(1, "golden");
  EXPECT_EQ(stream.bits(), 13023384117379086980U);
  EXPECT_EQ(stream.uniform(), 0x1.99f727f577454p-1);
  EXPECT_EQ(stream.below(1000), 943U);
  EXPECT_EQ(stream.normal(), -0.43945039289678461);
  EXPECT_EQ(stream.exponential(), 1.2077519897043658);
  EXPECT_EQ(stream.gamma(2.5), 1.8808380507081961);
  EXPECT_EQ(stream.gamma(0.1), 0.40392090293688615);
  EXPECT_EQ(stream.permutation(6), (std::vector<std::size_t>{4, 3, 1, 5, 0, 2}));
  EXPECT_EQ(stream.sample(20, 5), (std::vector<std::size_t>{1, 9, 14, 15, 19}));
  EXPECT_EQ(stream.substream("part", 3).bits(), 15326815222420453921U);
  EXPECT_EQ(RandomStream(1, "golden", 1).bits(), 12251045129792010638U);
}

TEST(RandomStream, SeedPurposeAndIndexEachMakeAnotherStream) {
  std::set<std::uint64_t> firsts;
  for (const std::uint64_t seed : {1, 2}) {
    for (const auto* purpose : {"a", "b"}) {
      for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40U}) {
        firsts.insert(RandomStream(seed, purpose, index).bits());
      }
    }
  }
  EXPECT_EQ(firsts.size(), 12U);
}

TEST(RandomStream, SubstreamsDoNotDependOnWhatWasDrawn) {
  RandomStream fresh(3, "run");
  RandomStream used(3, "run");
  for (int i = 0; i < 1000; ++i) used.normal();
  EXPECT_EQ(fresh.substream("part", 5).bits(), used.substream("part", 5).bits());
  EXPECT_NE(fresh.substream("part", 5).bits(), fresh.substream("part", 6).bits());
  EXPECT_NE(RandomStream(3, "run", 1).substream("part").bits(), RandomStream(3, "run", 2).substream("part").bits());
  EXPECT_NE(RandomStream(3, "part").bits(), fresh.substream("part").bits());
  RandomStream undisturbed(3, "run");
  EXPECT_EQ(fresh.bits(), undisturbed.bits());
}

TEST(RandomStream, BelowIsUnbiased) {
  RandomStream stream(5, "below");
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70'000; ++i) ++counts.at(stream.below(7));
  double chi_squared = 0.0;
  for (const int count : counts) chi_squared += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_squared, 22.46);  // 6 degrees of freedom, p = 0.001
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.below(1), 0U);
  // A bound of 3·2^62 rejects a quarter of all draws; its thirds are equally likely all the same.
  const std::size_t bound = std::size_t{3} << 62U;
  std::vector<int> thirds(3, 0);
  for (int i = 0; i < 30'000; ++i) ++thirds.at(stream.below(bound) >> 62U);
  for (const int count : thirds) EXPECT_NEAR(count, 10'000, 330);
}

TEST(RandomStream, DirichletHasItsMeansEvenFarBelowOne) {
  for (const double scale : {1.0, 0.001}) {
    const std::vector<double> concentration = {2.0 * scale, 1.0 * scale, 1.0 * scale};
    RandomStream stream(9, "dirichlet");
    double first = 0.0;
    for (int i = 0; i < 20'000; ++i) {
      const auto shares = stream.dirichlet(concentration);
      ASSERT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1.0, 1e-12);
      first += shares[0];
    }
    EXPECT_NEAR(first / 20'000, 0.5, 0.015);
  }
}

TEST(RandomStream, CategoricalFollowsTheWeights) {
  RandomStream stream(13, "categorical");
  const std::vector<double> weights = {0.0, 3.0, 0.0, 1.0, 0.0};
  std::vector<int> counts(5, 0);
  for (int i = 0; i < 40'000; ++i) ++counts.at(stream.categorical(weights));
  EXPECT_EQ(counts[0] + counts[2] + counts[4], 0);
  EXPECT_NEAR(counts[1], 30'000, 350);
}

TEST(RandomStream, PermutationsAreAllEquallyLikely) {
  RandomStream stream(17, "permutation");
  std::vector<int> counts(100, 0);
  for (int i = 0; i < 60'000; ++i) {
    const auto order = stream.permutation(3);
    ++counts.at(order[0] * 16 + order[1] * 4 + order[2]);
  }
  int seen = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++seen;
    EXPECT_NEAR(count, 10'000, 400);
  }
  EXPECT_EQ(seen, 6);
  EXPECT_TRUE(stream.permutation(0).empty());
}

TEST(RandomStream, SamplesAreDistinctSortedAndEven) {
  RandomStream stream(19, "sample");
  std::vector<int> counts(10, 0);
  for (int i = 0; i < 20'000; ++i) {
    const auto chosen = stream.sample(10, 3);
    ASSERT_EQ(chosen.size(), 3U);
    ASSERT_TRUE(chosen[0] < chosen[1] && chosen[1] < chosen[2] && chosen[2] < 10);
    for (const auto index : chosen) ++counts[index];
  }
  for (const int count : counts) EXPECT_NEAR(count, 6'000, 300);
  EXPECT_EQ(stream.sample(4, 4), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_TRUE(stream.sample(4, 0).empty());
}

}  // namespace
}  // namespace valence
