#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/model/language_model.h"
#include "valence/store/store.h"

namespace valence {

/// One request's outcome and the digest (hex) of the group that holds it; empty when it was never planned.
struct Answered {
  Result<Response> response = fail(ErrorCode::kModel, "the engine gave no answer");
  std::string digest;
};

/// Where a wave's groups are taken from and kept.
struct Keeping {
  Store* store = nullptr;
  RunId run = 0;
  bool reuse = false;
};

struct WaveControl {
  std::stop_token stop;
  Progress* progress = nullptr;
  std::string what;  ///< for the progress bar: "asking 12 questions"
};

/// Answers all requests, in their order: plans them together, takes the groups that are stored, computes and commits the
/// others. A group in which a request failed is handed back but not stored, so a resumed run tries it again. A request
/// longer than the model's context fails alone and is left out of the plan. Counts into `statistics`.
Result<std::vector<Answered>> answer_all(LanguageModel& model, std::vector<Request> requests, const Keeping& keeping,
                                         const WaveControl& control, Examiner::Statistics& statistics);

}  // namespace valence
