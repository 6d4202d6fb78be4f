#pragma once

#include <span>

#include "valence/align/sampler.h"
#include "valence/base/result.h"
#include "valence/exam/examiner.h"

namespace valence {

/// How far `now` is from `before`, from responses that `now` drew: the mean over responses of log π_now − log π_before
/// of their text, in nats per response (an estimate of KL(π_now ‖ π_before), which sampling can bring below 0). Both
/// score the same text in the same way. Responses without text count as no drift; NaN when there are none at all.
Result<double> sampled_drift(Examiner& now, Examiner& before, std::span<const OpenPrompt> prompts,
                             std::span<const Sample> samples);

}  // namespace valence
