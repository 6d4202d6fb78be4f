#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "valence/instruments/svo.h"

namespace valence {

/// Sliders that nobody published: `count` seeded line segments of the self–other plane, nine divisions each, in whole
/// coins, with the ids "line-01", …. They are for training, so that the measure's own items stay unseen:
///
///  - ends within 10 and 100 coins, at least 30 coins apart;
///  - the two ends differ by at least 10 coins of worth in every direction of the ring, so each line tells for each;
///  - no line is near an item of `unseen`: however its ends are matched with the item's, one of them is more than 15
///    coins away; nor within 8 coins of another line.
///
/// kUsage when so many lines do not fit into the plane.
Result<std::vector<SliderItem>> generated_sliders(std::size_t count, std::uint64_t seed,
                                                  std::span<const SliderItem> unseen);

/// How far apart two sliders are: the larger distance between their ends, matched the nearer way; coins.
double slider_distance(const SliderItem& a, const SliderItem& b);

}  // namespace valence
