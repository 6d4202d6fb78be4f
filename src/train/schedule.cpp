#include "schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "valence/base/random.h"

namespace valence::train {

double rate_at(std::size_t step, std::size_t total, std::size_t warmup, Schedule schedule) {
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  if (schedule == Schedule::kConstant || total <= warmup) return 1.0;
  const double done = static_cast<double>(step - warmup) / static_cast<double>(total - warmup);
  if (schedule == Schedule::kLinear) return 1.0 - done;
  return 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

Order::Order(std::uint64_t seed, std::size_t examples, std::size_t batch)
    : seed_(seed), examples_(examples), batch_(std::min(batch, examples)) {}

std::size_t Order::steps_per_epoch() const { return std::max<std::size_t>(1, examples_ / batch_); }

std::vector<std::size_t> Order::at(std::size_t step) {
  const auto epoch = step / steps_per_epoch();
  if (epoch != epoch_) {
    epoch_ = epoch;
    permutation_ = RandomStream(seed_, "training order", epoch).permutation(examples_);
  }
  // What is left when the batch does not divide the data goes into the epoch's last step.
  const auto place = step % steps_per_epoch();
  const auto begin = place * batch_;
  const auto end = place + 1 == steps_per_epoch() ? examples_ : begin + batch_;
  return {permutation_.begin() + static_cast<std::ptrdiff_t>(begin),
          permutation_.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace valence::train
