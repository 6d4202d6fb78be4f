// How often the intervals of a rank correlation of two noisy profiles hold the correlation without noise, with
// reliabilities found anew in every replicate. Run with `ctest -R ProfileCorrelationCoverage --verbose`.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "valence/base/random.h"
#include "valence/stats/correlation.h"
#include "valence/stats/reliability.h"

namespace valence::stats {
namespace {

constexpr std::size_t kDims = 10;
constexpr std::size_t kProfiles = 200;
constexpr std::size_t kReplicates = 200;

/// `units` measurements of a profile, each with noise of its own.
ResampledProfile measured(const std::vector<double>& truth, std::size_t units, double noise, RandomStream& stream) {
  std::vector<std::array<double, kDims>> values(units);
  for (auto& unit : values) {
    for (std::size_t d = 0; d < kDims; ++d) unit[d] = truth[d] + noise * stream.normal();
  }
  const auto mean = [values](std::span<const double> weights) {
    std::vector<double> sums(kDims, 0.0);
    for (std::size_t u = 0; u < values.size(); ++u) {
      for (std::size_t d = 0; d < kDims; ++d) sums[d] += weights[u] * values[u][d];
    }
    return sums;  // sums of weights are the same for all dimensions: the order is that of the means
  };
  return {mean, units, {}};
}

struct Coverage {
  double corrected = 0.0, raw = 0.0, given = 0.0;
  double mean_corrected = 0.0, mean_raw = 0.0, mean_truth = 0.0;
};

/// Truths with correlation `r` over the dimensions; eight wordings on one side, sixty prompts on the other.
Coverage simulate(double r, double noise) {
  Coverage coverage;
  for (std::size_t seed = 0; seed < kProfiles; ++seed) {
    RandomStream stream(seed, "profile correlation");
    std::vector<double> says, does;
    for (std::size_t d = 0; d < kDims; ++d) {
      says.push_back(stream.normal());
      does.push_back(r * says.back() + std::sqrt(1.0 - r * r) * stream.normal());
    }
    const double truth = spearman(says, does);
    const auto first = measured(says, 8, noise * std::sqrt(8.0), stream);
    const auto second = measured(does, 60, noise * std::sqrt(60.0), stream);
    const auto result = correlate_profiles(first, second, 4, "unit", kReplicates, seed).value();
    coverage.raw += result.spearman.low <= truth && truth <= result.spearman.high;
    coverage.mean_raw += result.spearman.value;
    if (!result.disattenuated.has_interval()) continue;
    coverage.given += 1.0;
    coverage.corrected += result.disattenuated.low <= truth && truth <= result.disattenuated.high;
    coverage.mean_corrected += result.disattenuated.value;
    coverage.mean_truth += truth;
  }
  coverage.corrected /= coverage.given;
  coverage.mean_corrected /= coverage.given;
  coverage.mean_truth /= coverage.given;
  coverage.raw /= kProfiles;
  coverage.mean_raw /= kProfiles;
  coverage.given /= kProfiles;
  return coverage;
}

TEST(ProfileCorrelationCoverage, IsKeptByTheCorrectedInterval) {
  for (const auto& [r, noise] : {std::pair{0.9, 0.35}, {0.9, 0.2}, {0.5, 0.35}, {0.0, 0.35}}) {
    const auto coverage = simulate(r, noise);
    fmt::print(
        "true correlation {:.1f}, noise {:.2f}: corrected {:.1f} % (given in {:.1f} %), raw {:.1f} %; means: truth "
        "{:.3f}, corrected {:.3f}, raw {:.3f}\n",
        r, noise, 100.0 * coverage.corrected, 100.0 * coverage.given, 100.0 * coverage.raw, coverage.mean_truth,
        coverage.mean_corrected, coverage.mean_raw);
    EXPECT_GE(coverage.corrected, 0.93) << r << " " << noise;
    EXPECT_GE(coverage.given, 0.5) << r << " " << noise;
    EXPECT_NEAR(coverage.mean_corrected, coverage.mean_truth, 0.06) << r << " " << noise;
  }
}

}  // namespace
}  // namespace valence::stats
