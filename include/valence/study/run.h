#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "valence/study/study.h"

namespace valence {

/// What stands before a step, or became of it.
struct PlannedStep {
  const Step* step = nullptr;
  std::string hash;               ///< hex; of everything that its result depends on
  std::optional<RunId> run;       ///< its result, when it is done
  std::optional<double> seconds;  ///< how long such a step took on this machine (median); nothing = not known
  std::string missing;            ///< what is not there that it needs (Step::ready); empty: it can run
  bool needed() const { return !run && !step->is_input(); }
};

struct StudyPlan {
  std::vector<PlannedStep> steps;
  std::size_t to_run() const;
  /// Seconds of the steps that are to run; nothing when one of them is not known.
  std::optional<double> seconds() const;
  /// The same of those alone whose time is known, and how many it is not known of.
  double known_seconds() const;
  std::size_t untimed() const;
};

/// Hashes all steps and looks up which are done. Opens no weights. `store` null: nothing is done yet.
Result<StudyPlan> plan_study(const Study& study, const Store* store);

struct StudyOptions {
  std::stop_token stop;
  Progress* progress = nullptr;
  std::filesystem::path folder = "out";  ///< for files that steps make
  std::function<void(const PlannedStep&, std::size_t, std::size_t)>
      started = {};  ///< before each step: it, its number from 1, of how many
};

/// Runs what is not done, in order, and files each step as it ends. Killed and started again it goes on: steps are runs
/// of the store. The error of a step names it; what was done before stays done.
Result<StudyPlan> run_study(const Study& study, Store& store, const StudyOptions& options);

}  // namespace valence
