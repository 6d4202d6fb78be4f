#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hvae_dialogue.h"
#include "svo_estimator.h"
#include "valence/base/random.h"
#include "valence/base/settings.h"

namespace valence {

SettingTable hvae_settings();

/// One script per condition and dialogue, dialogues of one condition together. Wording, order of options, version and
/// label set of "dialogue-07" are the same under every condition, so differences between conditions are paired.
Result<std::vector<HvaeScript>> hvae_scripts(const Settings& settings, std::uint64_t seed);

/// How the answers are scored: the angle each induced value calls for, and the reachable band.
Result<SliderScoring> hvae_scoring(const Settings& settings);

/// `count` numbers below `levels`, each as often as any other (±1), in an order drawn from the stream.
std::vector<std::size_t> balanced_assignment(std::size_t count, std::size_t levels, RandomStream stream);

}  // namespace valence
