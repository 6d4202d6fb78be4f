#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace valence::train {

enum class Schedule { kConstant, kLinear, kCosine };

/// Share of the top learning rate at step `step` of `total` (from 0): rises linearly over the first `warmup` steps,
/// then stays (constant), falls to 0 in a straight line (linear) or along half a cosine. Never 0 before the last step.
double rate_at(std::size_t step, std::size_t total, std::size_t warmup, Schedule schedule);

/// Which examples a step is made of: every epoch goes through all of them in an order of its own, so that a step's
/// examples follow from seed, count and step alone and a resumed run finds its place without a stored state.
class Order {
 public:
  Order(std::uint64_t seed, std::size_t examples, std::size_t batch);
  std::vector<std::size_t> at(std::size_t step);
  std::size_t steps_per_epoch() const;

 private:
  std::uint64_t seed_;
  std::size_t examples_, batch_;
  std::size_t epoch_ = static_cast<std::size_t>(-1);  // of `permutation_`
  std::vector<std::size_t> permutation_;
};

}  // namespace valence::train
