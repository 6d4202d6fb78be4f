#include "several_rewards.h"

#include <algorithm>
#include <cmath>

namespace valence::train {

void Lagrangian::update(double mean_cost) { multiplier_ *= std::exp(rate_ * (mean_cost - limit_)); }

double Lagrangian::combine(double reward_advantage, double cost_advantage) const {
  return (reward_advantage - multiplier_ * cost_advantage) / (1.0 + multiplier_);
}

Result<std::size_t> worst_group(std::span<const double> mean_rewards) {
  if (mean_rewards.empty()) return fail(ErrorCode::kWrongCount, "the worst group of none cannot be told");
  return static_cast<std::size_t>(std::ranges::min_element(mean_rewards) - mean_rewards.begin());
}

Result<std::vector<double>> reweigh_groups(std::span<const double> weights, std::span<const double> mean_rewards,
                                           double rate) {
  if (weights.empty() || weights.size() != mean_rewards.size()) {
    return fail(ErrorCode::kWrongCount, "{} groups need as many mean rewards, got {}", weights.size(),
                mean_rewards.size());
  }
  const double lowest = std::ranges::min(mean_rewards);  // taken off so that nothing overflows
  std::vector<double> next;
  double sum = 0.0;
  for (std::size_t g = 0; g < weights.size(); ++g) {
    next.push_back(weights[g] * std::exp(-rate * (mean_rewards[g] - lowest)));
    sum += next.back();
  }
  for (double& weight : next) weight /= sum;
  return next;
}

}  // namespace valence::train
