#pragma once

#include <stop_token>
#include <string>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"

namespace valence {

/// The recipe of the evaluator that comes with the program: tf-idf with logistic heads, which needs no language model.
EvaluatorRecipe shipped_recipe();

/// How an evaluator trained by `recipe` on all responders but one reads that one, for every responder in turn.
Result<std::vector<UnseenResponder>> read_unseen_responders(const LabelledData& data, const FeatureFamilies& families,
                                                            const EvaluatorRecipe& recipe, Progress& progress,
                                                            const std::stop_token& stop = {});

/// "fulcra": the evaluator of the shipped recipe, trained on FULCRA's trustworthy split when it is first asked for (a
/// minute or two) and kept in the cache folder under the hash of data and recipe. Anything else is a file that
/// `valence evaluator train` wrote.
Result<Evaluator> open_evaluator(const std::string& name, Progress& progress, const std::stop_token& stop = {});

}  // namespace valence
