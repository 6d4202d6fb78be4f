#include "svo_lattice.h"

#include <algorithm>
#include <cmath>

namespace valence {
namespace {

/// Sums of coins are whole and below 1024 for either person, so one number holds both.
constexpr std::uint32_t kSelf = 1024;

std::uint32_t packed(const Allocation& allocation) {
  return static_cast<std::uint32_t>(std::lround(allocation.self)) * kSelf +
         static_cast<std::uint32_t>(std::lround(allocation.other));
}

double angle_of_sum(std::uint32_t sum, double items) {
  return svo_angle_of_mean({static_cast<double>(sum / kSelf) / items, static_cast<double>(sum % kSelf) / items});
}

}  // namespace

PayoffLattice::PayoffLattice(std::span<const SliderItem> primary) {
  std::vector<std::uint32_t> states = {0};
  for (const auto& item : primary) {
    std::vector<std::uint32_t> after;
    for (const auto state : states) {
      for (const auto& option : item.options) after.push_back(state + packed(option));
    }
    // Marked in a table of all sums, which numbers them in order without sorting.
    std::vector<std::uint32_t> index(std::ranges::max(after) + 1, 0);
    for (const auto sum : after) index[sum] = 1;
    std::vector<std::uint32_t> distinct;
    for (std::uint32_t sum = 0; sum < index.size(); ++sum) {
      if (index[sum] == 0) continue;
      index[sum] = static_cast<std::uint32_t>(distinct.size());
      distinct.push_back(sum);
    }
    for (auto& sum : after) sum = index[sum];
    next_.push_back(std::move(after));
    sizes_.push_back(distinct.size());
    states = std::move(distinct);
  }
  for (const auto sum : states) angles_.push_back(angle_of_sum(sum, static_cast<double>(primary.size())));
}

std::vector<double> PayoffLattice::distribution(std::span<const double> weights) const {
  std::vector<double> mass = {1.0};
  for (std::size_t item = 0; item < next_.size(); ++item) {
    const auto options = weights.subspan(item * kSliderOptions, kSliderOptions);
    std::vector<double> after(sizes_[item], 0.0);
    for (std::size_t state = 0; state < mass.size(); ++state) {
      if (mass[state] == 0.0) continue;
      for (std::size_t option = 0; option < kSliderOptions; ++option) {
        after[next_[item][state * kSliderOptions + option]] += mass[state] * options[option];
      }
    }
    mass = std::move(after);
  }
  return mass;
}

}  // namespace valence
