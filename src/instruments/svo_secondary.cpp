#include <algorithm>
#include <cmath>
#include <limits>

#include "valence/instruments/svo.h"

namespace valence {
namespace {

// Places in SvoMeasure::motives of the two that the index weighs against each other.
constexpr std::size_t kInequality = 0;
constexpr std::size_t kJointGain = 1;

/// Place of a point's projection on an item's line: 0 at option 1, 1 at option 9.
double along(const SliderItem& item, const Allocation& point) {
  const auto& from = item.options.front();
  const double self = item.options.back().self - from.self;
  const double other = item.options.back().other - from.other;
  return ((point.self - from.self) * self + (point.other - from.other) * other) / (self * self + other * other);
}

/// Where on the line both get the same: every secondary item has such a point.
double equal_payoff(const SliderItem& item) {
  const double first = item.options.front().self - item.options.front().other;
  const double last = item.options.back().self - item.options.back().other;
  return first / (first - last);
}

double ideal_place(const SliderItem& item, std::size_t motive, std::size_t option) {
  if (motive == kInequality) return equal_payoff(item);
  return static_cast<double>(option - 1) / static_cast<double>(kSliderOptions - 1);
}

/// Mean over the items where the motive has an ideal of |place − ideal|.
template <class Ideal>
double mean_distance(const SecondaryMotive& motive, const std::array<double, kSecondaryItems>& place, Ideal&& ideal) {
  double sum = 0.0;
  std::size_t defined = 0;
  for (std::size_t i = 0; i < kSecondaryItems; ++i) {
    if (!motive.ideal[i]) continue;
    sum += std::abs(place[i] - ideal(i, *motive.ideal[i]));
    ++defined;
  }
  return sum / static_cast<double>(defined);
}

Result<void> check_nine(std::size_t answers) {
  if (answers == kSecondaryItems) return {};
  return fail(ErrorCode::kWrongCount, "the secondary index needs {} secondary answers, got {}", kSecondaryItems,
              answers);
}

}  // namespace

SecondaryIndex secondary_index(const SvoMeasure& measure, const std::array<double, 4>& distance) {
  SecondaryIndex result{distance, std::numeric_limits<double>::quiet_NaN(), ""};
  std::array<std::size_t, 4> nearest_first = {0, 1, 2, 3};
  std::ranges::stable_sort(nearest_first, {}, [&](std::size_t motive) { return distance[motive]; });
  if (nearest_first[0] + nearest_first[1] != kInequality + kJointGain) return result;  // {0, 1} in either order
  const double inequality = distance[kInequality];
  const double joint = distance[kJointGain];
  if (inequality == joint) {
    result.index = 0.5;
    result.type = "tie";
  } else {
    result.index = inequality / (inequality + joint);
    result.type = measure.motives[inequality < joint ? kInequality : kJointGain].id;
  }
  return result;
}

Result<SecondaryIndex> svo_secondary(const SvoMeasure& measure, std::span<const std::size_t> options) {
  VALENCE_CHECK(check_nine(options.size()));
  std::array<double, kSecondaryItems> place{};
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i] < 1 || options[i] > kSliderOptions) {
      return fail(ErrorCode::kInvalid, "secondary answer {} is option {}; expected 1 to 9", i + 1, options[i]);
    }
    place[i] = static_cast<double>(options[i]);
  }
  std::array<double, 4> distance{};
  for (std::size_t m = 0; m < distance.size(); ++m) {
    distance[m] = mean_distance(measure.motives[m], place, [](std::size_t, std::size_t option) {
                    return static_cast<double>(option);
                  }) / static_cast<double>(kSliderOptions - 1);
  }
  return secondary_index(measure, distance);
}

Result<SecondaryIndex> svo_secondary_continuous(const SvoMeasure& measure, std::span<const Allocation> chosen) {
  VALENCE_CHECK(check_nine(chosen.size()));
  const auto items = measure.secondary();
  std::array<double, kSecondaryItems> place{};
  for (std::size_t i = 0; i < chosen.size(); ++i) place[i] = std::clamp(along(items[i], chosen[i]), 0.0, 1.0);
  std::array<double, 4> distance{};
  for (std::size_t m = 0; m < distance.size(); ++m) {
    distance[m] = mean_distance(measure.motives[m], place, [&](std::size_t item, std::size_t option) {
      return ideal_place(items[item], m, option);
    });
  }
  return secondary_index(measure, distance);
}

}  // namespace valence
