#pragma once

#include <string>

#include "valence/align/training.h"
#include "valence/base/json.h"
#include "valence/exam/subject_file.h"

namespace valence {

struct Session;

/// The flags that name a model: "--model smollm2 --adapter out/…/adapter.gguf".
std::string flags_of(const ModelSpec& model);

/// What a training run did, and what to run next. `headline`: "Choice alignment of smollm2 …".
std::string training_text(const std::string& headline, const TrainingRequest& request, const TrainingRun& run,
                          const std::string& next);
Json training_json(const TrainingRequest& request, const TrainingRun& run);

/// Prints either, as the session asks; of held-out pairs also how often the reward finds the better answer. Errors as
/// pair_accuracy.
Result<void> show_training(const Session& session, const std::string& headline, const TrainingRequest& request,
                           const TrainingRun& run, const std::string& next);

}  // namespace valence
