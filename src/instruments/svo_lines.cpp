#include "svo_lines.h"

#include <algorithm>
#include <cmath>

#include "valence/base/random.h"
#include "valence/values/space.h"

namespace valence {
namespace {

constexpr std::size_t kFewestCoins = 10, kMostCoins = 100;  // coins
constexpr double kShortest = 30.0, kLeastAtStake = 10.0, kNearCoins = 15.0, kSimilar = 8.0;
constexpr std::size_t kTriesPerLine = 2000;  // then the plane is taken to be full

double distance(const Allocation& a, const Allocation& b) { return std::hypot(a.self - b.self, a.other - b.other); }

Allocation drawn(RandomStream& stream) {
  const auto coins = [&] { return static_cast<double>(kFewestCoins + stream.below(kMostCoins - kFewestCoins + 1)); };
  const double self = coins();
  return {self, coins()};
}

SliderItem line_between(const Allocation& from, const Allocation& to) {
  SliderItem item;
  for (std::size_t i = 0; i < kSliderOptions; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(kSliderOptions - 1);
    item.options[i] = {std::round(from.self + t * (to.self - from.self)),
                       std::round(from.other + t * (to.other - from.other))};
  }
  return item;
}

bool tells_everywhere(const SliderItem& item, const Space& ring) {
  return std::ranges::all_of(ring.dimensions, [&](const Dimension& direction) {
    const double degrees = direction.angle.value_or(0.0);
    return std::abs(payoff_towards(item.options.front(), degrees) - payoff_towards(item.options.back(), degrees)) >=
           kLeastAtStake;
  });
}

bool is_far(const SliderItem& item, std::span<const SliderItem> others, double limit) {
  return std::ranges::all_of(others, [&](const SliderItem& other) { return slider_distance(item, other) > limit; });
}

}  // namespace

double slider_distance(const SliderItem& a, const SliderItem& b) {
  const auto matched = [&](const Allocation& first, const Allocation& last) {
    return std::max(distance(a.options.front(), first), distance(a.options.back(), last));
  };
  return std::min(matched(b.options.front(), b.options.back()), matched(b.options.back(), b.options.front()));
}

Result<std::vector<SliderItem>> generated_sliders(std::size_t count, std::uint64_t seed,
                                                  std::span<const SliderItem> unseen) {
  VALENCE_TRY(const auto ring, load_space("svo_ring"));
  RandomStream stream(seed, "svo lines");
  std::vector<SliderItem> lines;
  for (std::size_t tries = 0; lines.size() < count; ++tries) {
    if (tries >= kTriesPerLine)
      return fail(ErrorCode::kUsage, "only {} generated lines that differ enough fit into the plane, not {}",
                  lines.size(), count);
    const auto from = drawn(stream), to = drawn(stream);
    auto line = line_between(from, to);
    if (distance(from, to) < kShortest || !tells_everywhere(line, ring)) continue;
    if (!is_far(line, unseen, kNearCoins) || !is_far(line, lines, kSimilar)) continue;
    line.id = fmt::format("line-{:02}", lines.size() + 1);
    lines.push_back(std::move(line));
    tries = 0;
  }
  return lines;
}

}  // namespace valence
