#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "valence/align/aligner.h"
#include "valence/align/lessons.h"
#include "valence/values/space.h"
#include "value_lessons.h"

namespace valence {

/// What responses are worth. Empty where a function of its kind is optional.
using ReadResponses = std::function<Result<Readings>(std::span<const OpenPrompt>, std::span<const Sample>)>;

/// Settings that every alignment in rounds has: optimiser, prompts, how much is drawn, how it is taught.
SettingTable round_settings();

/// How several readers' rewards of one response become one (valence/align/reward.h).
SettingTable ensemble_settings();

/// A subject is aligned by its own responses: drawn, read, taught, drawn anew.
struct RoundsWork {
  const AlignContext& context;  ///< settings: round_settings() and the aligner's own
  RunId run = 0;
  std::string aligner;  ///< id: names the random streams
  std::string goal;     ///< for the aligned subject's name: "aligned to …"
  ReadResponses reward;
  ReadResponses watch;  ///< by what shares nothing with the reward; empty: nobody watches, and no turn is found
  std::vector<OpenPrompt> watched, pool;
  Json prompts;  ///< where they are from, for the record

  std::size_t whole(std::string_view name) const { return static_cast<std::size_t>(context.settings.integer(name)); }
};

/// What of the settings is wrong whoever is aligned (kUsage): too few responses for the optimiser, unknown settings of the
/// training, prompts that cannot be read or must not be trained on. `space`: of sets that are made for one.
Result<void> check_rounds(const Settings& settings, const Space& space);

/// Draws the prompts: watched ones are set aside, the others are trained on. kUsage when nothing is left to train on.
Result<RoundsWork> prepare_rounds(const AlignContext& context, RunId run, std::string aligner, const Space& space);

/// Preferences and best-of-n: every round's training starts from the weights as they are, on the lessons of all rounds
/// so far. GRPO, RLOO and PPO: it goes on from the last round's, on that round's responses alone, which are what the
/// policy itself just said. Rounds that were finished are found again, and a killed one goes on to the same adapter.
///
/// Rewards are watched after every `watch_every` rounds; alignment stops at a turn (over_optimisation.h). Rows of the
/// run's training steps: a point of the monitor each, with the seconds of rollouts, rewards, updates and watching.
Result<AlignedSubject> align_in_rounds(const RoundsWork& work, const Teach& teach);

}  // namespace valence
