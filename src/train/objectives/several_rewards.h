#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"

namespace valence::train {

// More than one reward: a cost that must stay below its limit, or the rewards of several groups of people. No operation
// calls these (docs/training.md, "In the library only").

/// max_π E r subject to E cost ≤ limit, by gradient ascent on the multiplier (Safe RLHF; Dai et al. 2024): log λ moves
/// with the excess of the mean cost, so λ stays positive.
class Lagrangian {
 public:
  Lagrangian(double multiplier, double rate, double limit = 0.0)
      : multiplier_(multiplier), rate_(rate), limit_(limit) {}
  double multiplier() const { return multiplier_; }
  void update(double mean_cost);
  /// (A_r − λ A_c) / (1 + λ)
  double combine(double reward_advantage, double cost_advantage) const;

 private:
  double multiplier_, rate_, limit_;
};

/// max_π min_g E r_g (MaxMin-RLHF; Chakraborty et al. 2024): the group that is worst off, the first of equals.
/// kWrongCount without groups.
Result<std::size_t> worst_group(std::span<const double> mean_rewards);

/// The same made smooth: weights over groups that move towards those that are badly off, w_g ∝ w_g e^{−rate·r_g}; their
/// fixed point with the policy is the maximin. kWrongCount unless there is a reward per weight.
Result<std::vector<double>> reweigh_groups(std::span<const double> weights, std::span<const double> mean_rewards,
                                           double rate);

}  // namespace valence::train
