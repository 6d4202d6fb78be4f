#pragma once

#include <string>

#include "valence/align/training.h"
#include "valence/base/json.h"
#include "valence/exam/subject_file.h"

namespace valence {

struct Session;
struct SubjectOptions;

/// The flags that name a model: "--model smollm2 --adapter out/…/adapter.gguf".
std::string flags_of(const ModelSpec& model);

/// How to measure what an alignment cost: "its cost: valence tax smollm2 out/uk/subject.toml", of the subject file that
/// it left, or of the adapter or model that a training did. What the subject had beside its model or file counts with
/// it, and the line says so.
std::string cost_line(const SubjectOptions& base, const std::string& aligned);
std::string cost_line(const SubjectOptions& base, const TrainingOutcome& outcome);

/// What a training run did, and what to run next. `headline`: "Choice alignment of smollm2 …".
std::string training_text(const std::string& headline, const TrainingRequest& request, const TrainingRun& run,
                          const std::string& next);
Json training_json(const TrainingRequest& request, const TrainingRun& run);

/// Prints either, as the session asks; of held-out pairs also how often the reward finds the better answer, and at the
/// end the cost_line where there is one. Errors as pair_accuracy.
Result<void> show_training(const Session& session, const std::string& headline, const TrainingRequest& request,
                           const TrainingRun& run, const std::string& next, const std::string& cost);

}  // namespace valence
