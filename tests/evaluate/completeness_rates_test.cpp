// How often the completeness diagnostic finds something beyond the labelled values, where there is nothing and where
// there is. Run with `ctest -R CompletenessRates --verbose`.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "simulated_safety.h"

namespace valence {
namespace {

constexpr std::size_t kSimulations = 40;

struct Rates {
  double gain = 0.0, beyond = 0.0;  ///< share of intervals above 0
  double mean_gain = 0.0, mean_beyond = 0.0;
};

Rates rates_of(const testing::Simulation& how) {
  Rates rates;
  for (std::size_t seed = 0; seed < kSimulations; ++seed) {
    const auto made = testing::simulate(how, seed);
    CompletenessOptions options;
    options.replicates = 400;
    options.seed = seed;
    const auto all = completeness(made.data, made.embedding, options).value().figures.front();
    rates.gain += all.gain.low > 0.0 ? 1.0 / kSimulations : 0.0;
    rates.beyond += all.beyond.low > 0.0 ? 1.0 / kSimulations : 0.0;
    rates.mean_gain += all.gain.value / kSimulations;
    rates.mean_beyond += all.beyond.value / kSimulations;
  }
  return rates;
}

Rates printed(const char* name, const testing::Simulation& how) {
  const auto rates = rates_of(how);
  fmt::print("{}: gain above 0 in {:.0f} % (mean {:.3f}), beyond label noise in {:.0f} % (mean {:.3f})\n", name,
             100.0 * rates.gain, rates.mean_gain, 100.0 * rates.beyond, rates.mean_beyond);
  return rates;
}

TEST(CompletenessRates, NothingMissingIsRarelyFound) {
  EXPECT_LE(printed("nothing missing, exact labels", {}).beyond, 0.08);
  EXPECT_LE(printed("nothing missing, labels with an error of half their spread", {.noise = 0.15}).beyond, 0.08);
  const auto noisy = printed("nothing missing, labels with an error of 1.3 times their spread", {.noise = 0.4});
  EXPECT_LE(noisy.beyond, 0.08);
  EXPECT_GE(noisy.gain, 0.9);  // what would be taken for a finding without allowing for noise
}

TEST(CompletenessRates, WhatIsMissingIsMostlyFound) {
  EXPECT_GE(printed("a hidden dimension of weight 1, noisy labels", {.noise = 0.15, .hidden = 1.0}).beyond, 0.8);
  EXPECT_GE(printed("a hidden dimension of weight 2, very noisy labels", {.noise = 0.4, .hidden = 2.0}).beyond, 0.9);
}

}  // namespace
}  // namespace valence
