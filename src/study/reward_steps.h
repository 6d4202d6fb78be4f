#pragma once

#include <functional>
#include <string>
#include <vector>

#include "steps.h"

namespace valence::study {

/// Full names of the earlier alignments whose reward models an [align.NAME] names instead of folders (`reward =
/// "liked"` of method rlhf). kUsage, with its place, for one that leaves a subject.
Result<std::vector<std::string>> reward_steps(const Node& table, const Aligner& aligner, const Settings& settings,
                                              const StepNames& names);

/// The folder of the reward model that a step left; "" leaves it out.
using FolderOf = std::function<Result<std::string>(const std::string& step)>;

/// The settings with a folder in place of each of these steps' names.
Result<Settings> with_folders(const Aligner& aligner, const Settings& settings, const std::vector<std::string>& steps,
                              const FolderOf& folder_of);

/// Leaves them out: they are made before the step that names them.
Result<std::string> made_before(const std::string& step);
/// A mark that they stand there: names of steps do not count, what they make is hashed with the step's needs.
Result<std::string> named_by_step(const std::string& step);
/// Of steps that have run: relative to the folder that the command was started in where that can be, so that a subject
/// which is called after it has the same name elsewhere.
FolderOf folders_of(const StepContext& context);

}  // namespace valence::study
