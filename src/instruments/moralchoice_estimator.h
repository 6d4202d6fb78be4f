#pragma once

#include <memory>

#include "valence/instruments/moralchoice.h"

namespace valence {

/// Every figure of MoralChoice as a mean over scenarios. Rows of unknown scenarios are kUsage.
Result<std::unique_ptr<Estimator>> moralchoice_estimator(const AnswerTable& table, AnswerFormat headline);

}  // namespace valence
