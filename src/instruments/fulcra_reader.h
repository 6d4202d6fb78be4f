#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/head.h"
#include "valence/evaluate/labelled.h"
#include "valence/instruments/instrument.h"
#include "valence/store/answers.h"
#include "valence/values/space.h"

namespace valence {

inline constexpr std::string_view kJudgeCondition = "judge";  ///< probe rows of how the judge answered

/// What was read out of responses: probabilities in the space's order, NaN where nothing could be read, and probe rows
/// that say how far the reader is to be trusted.
struct FulcraReadings {
  ClassProbabilities probabilities;
  std::vector<AnswerRow> probes;
};

/// Reads responses: a trained evaluator, or a judge.
class FulcraReader {
 public:
  virtual ~FulcraReader() = default;
  /// `rows`: the responses' own rows, one per text.
  virtual Result<FulcraReadings> read(Examination& examination, std::span<const PromptedText> texts,
                                      std::span<const AnswerRow* const> rows) const = 0;
};

/// By the settings `judge`, `judge_route`, `judge_samples` and `evaluator`. Fails when it cannot be opened or reads
/// another space, so that nothing is asked that could not be read.
Result<std::unique_ptr<FulcraReader>> open_fulcra_reader(const Examination& examination, const Settings& settings,
                                                         const Space& space);

/// Checks of the gate on a judge: whether it answers by the place of a label, and how much of it could be read. Empty
/// for tables that no judge read.
std::vector<ValidityCheck> judge_checks(const AnswerTable& table, const GateThresholds& gate);

}  // namespace valence
