#pragma once

#include <stop_token>
#include <string>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"

namespace valence {

/// How an evaluator trained by `recipe` on all responders but one reads that one, for every responder in turn. Nothing
/// when there are fewer than two.
Result<std::vector<UnseenResponder>> read_unseen_responders(const LabelledData& data, const FeatureFamilies& families,
                                                            const EvaluatorRecipe& recipe, Progress& progress,
                                                            const std::stop_token& stop = {});

/// An evaluator that is shipped as recipe and labels, or a file:
///
///   "fulcra"           words alone, which needs no language model, on FULCRA's trustworthy split
///   "fulcra:NAME"      the shipped recipe NAME on the same rows; may need language models
///   "fulcra_training"  words alone, on the training side of the one split of prompts (prompt_split.h): a reward
///   "fulcra_held_out"  another recipe on the other side: to watch that reward with, sharing neither rows nor features
///
/// They are trained when they are first asked for (a minute or two for words) and kept in the cache folder under the hash
/// of data and recipe. Anything else is a file that `valence evaluator train` wrote; the models that it needs are opened.
Result<Evaluator> open_evaluator(const std::string& name, Progress& progress, const std::stop_token& stop = {});

/// Whether open_evaluator knows the name or finds the file; kUsage with the nearest name otherwise. Opens nothing.
Result<void> find_evaluator(const std::string& name);

}  // namespace valence
