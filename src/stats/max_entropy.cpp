#include "valence/stats/max_entropy.h"

#include <algorithm>
#include <cmath>

#include "valence/stats/distribution.h"

namespace valence::stats {
namespace {

constexpr double kRoundingOfSteps = 1e-9;
constexpr double kSteepest = 400.0;  // beyond it a step's weight against its neighbour's is below 1e-170
constexpr int kHalvings = 100;       // of an interval of that width: to the last bit

/// p(x) ∝ exp(a(x − m) + b(x − m)²).
std::vector<double> exponential(std::size_t steps, double mean, double slope, double curvature) {
  std::vector<double> weights;
  for (std::size_t i = 0; i < steps; ++i) {
    const double x = static_cast<double>(i) - mean;
    weights.push_back(slope * x + curvature * x * x);
  }
  return softmax(weights);
}

/// The root of a rising function by halving.
template <class Rising>
double root(double low, double high, Rising rises_above) {
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    (rises_above(middle) ? high : low) = middle;
  }
  return 0.5 * (low + high);
}

/// The one with the given mean and curvature: the mean rises with the slope.
std::vector<double> with_mean(std::size_t steps, double mean, double curvature) {
  const double reach = kSteepest + std::abs(curvature) * static_cast<double>(steps);
  const double slope =
      root(-reach, reach, [&](double a) { return mean_step(exponential(steps, mean, a, curvature)) > mean; });
  return exponential(steps, mean, slope, curvature);
}

/// Everything on the two steps around the mean.
std::vector<double> narrowest(std::size_t steps, double mean) {
  std::vector<double> p(steps, 0.0);
  const double below = std::min(std::floor(mean + kRoundingOfSteps), static_cast<double>(steps - 1));
  const double fraction = std::max(0.0, mean - below);
  p[static_cast<std::size_t>(below)] = 1.0 - fraction;
  if (fraction > 0.0) p[static_cast<std::size_t>(below) + 1] = fraction;
  return p;
}

/// Everything on the ends of the scale.
std::vector<double> widest(std::size_t steps, double mean) {
  std::vector<double> p(steps, 0.0);
  const double share = mean / static_cast<double>(steps - 1);
  p.front() = 1.0 - share;
  p.back() = share;
  return p;
}

Result<void> check_deviation(std::size_t steps, double mean, double deviation) {
  const auto [low, high] = deviations_with_mean(steps, mean);
  if (deviation >= low - kRoundingOfSteps && deviation <= high + kRoundingOfSteps) return {};
  return fail(ErrorCode::kInvalid,
              "no distribution over {} steps has the mean {} and the standard deviation {}: it lies within {} and {}",
              steps, mean, deviation, low, high);
}

}  // namespace

double mean_step(const std::vector<double>& distribution) {
  double mean = 0.0;
  for (std::size_t i = 0; i < distribution.size(); ++i) mean += static_cast<double>(i) * distribution[i];
  return mean;
}

double step_deviation(const std::vector<double>& distribution) {
  const double mean = mean_step(distribution);
  double sum = 0.0;
  for (std::size_t i = 0; i < distribution.size(); ++i) {
    const double x = static_cast<double>(i) - mean;
    sum += distribution[i] * x * x;
  }
  return std::sqrt(sum);
}

DeviationRange deviations_with_mean(std::size_t steps, double mean) {
  const double fraction = mean - std::floor(mean);
  return {std::sqrt(fraction * (1.0 - fraction)), std::sqrt(mean * (static_cast<double>(steps - 1) - mean))};
}

Result<std::vector<double>> max_entropy(std::size_t steps, double mean, std::optional<double> deviation) {
  if (steps < 2) return fail(ErrorCode::kInvalid, "a scale has at least 2 steps, got {}", steps);
  const double last = static_cast<double>(steps - 1);
  if (!(mean >= -kRoundingOfSteps && mean <= last + kRoundingOfSteps))
    return fail(ErrorCode::kInvalid, "the mean over {} steps lies within 0 and {}, got {}", steps, last, mean);
  mean = std::clamp(mean, 0.0, last);
  if (deviation) VALENCE_CHECK(check_deviation(steps, mean, *deviation));
  if (mean <= kRoundingOfSteps || mean >= last - kRoundingOfSteps) return narrowest(steps, mean);
  if (!deviation) return with_mean(steps, mean, 0.0);
  const auto [low, high] = deviations_with_mean(steps, mean);
  if (*deviation <= low + kRoundingOfSteps) return narrowest(steps, mean);
  if (*deviation >= high - kRoundingOfSteps) return widest(steps, mean);
  // At a fixed mean the deviation rises with the curvature.
  const double curvature =
      root(-kSteepest, kSteepest, [&](double b) { return step_deviation(with_mean(steps, mean, b)) > *deviation; });
  return with_mean(steps, mean, curvature);
}

}  // namespace valence::stats
