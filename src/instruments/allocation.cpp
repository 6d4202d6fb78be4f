#include "valence/instruments/allocation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace valence {
namespace {

constexpr double kSameWorth = 1e-9;  // coins: worths that differ by less are equal

std::vector<double> worths(std::span<const Allocation> options, double degrees) {
  std::vector<double> all;
  for (const auto& coins : options) all.push_back(payoff_towards(coins, degrees));
  return all;
}

}  // namespace

double payoff_towards(const Allocation& coins, double degrees) {
  const double radians = degrees * std::numbers::pi / 180.0;
  return coins.self * std::cos(radians) + coins.other * std::sin(radians);
}

std::vector<double> best_allocations(std::span<const Allocation> options, double degrees) {
  const auto worth = worths(options, degrees);
  const double most = *std::ranges::max_element(worth);
  std::vector<double> answer;
  for (const double w : worth) answer.push_back(w >= most - kSameWorth ? 1.0 : 0.0);
  const auto ties = static_cast<double>(std::ranges::count(answer, 1.0));
  for (auto& p : answer) p /= ties;
  return answer;
}

std::vector<double> best_on_slider(std::span<const Allocation> options, double degrees) {
  const double first = payoff_towards(options.front(), degrees), last = payoff_towards(options.back(), degrees);
  std::vector<double> answer(options.size(), 0.0);
  if (std::abs(first - last) <= kSameWorth)
    return std::vector<double>(options.size(), 1.0 / static_cast<double>(options.size()));
  (first > last ? answer.front() : answer.back()) = 1.0;
  return answer;
}

double share_attained(std::span<const Allocation> options, std::span<const double> probability, double degrees) {
  const auto worth = worths(options, degrees);
  const auto [low, high] = std::ranges::minmax(worth);
  if (high - low <= kSameWorth) return std::numeric_limits<double>::quiet_NaN();
  double expected = 0.0;
  for (std::size_t i = 0; i < worth.size(); ++i) expected += probability[i] * worth[i];
  return (expected - low) / (high - low);
}

}  // namespace valence
