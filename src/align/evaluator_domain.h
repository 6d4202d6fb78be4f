#pragma once

#include <map>
#include <string>

#include "valence/base/result.h"
#include "valence/evaluate/domain.h"
#include "valence/store/answers.h"

namespace valence {

/// The training domain of an evaluator that was fitted on part of the shipped labels; the other part says where it
/// ends. The evaluator outlives it. kUnsupported when it was fitted on other texts, which no evaluator keeps, or on all
/// of them.
Result<TrainingDomain> domain_of(const Evaluator& evaluator);

/// Per prompt the share of its responses that lie outside, of a table of the instrument fulcra.
Result<std::map<std::string, double>> outside_by_prompt(const TrainingDomain& domain, const AnswerTable& table);

}  // namespace valence
