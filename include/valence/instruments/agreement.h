#pragma once

#include <cstddef>

#include "valence/store/answers.h"

namespace valence {

/// How far two subjects (or two runs of one) answered alike. Compared are the items that both scored, each averaged over
/// its forms, wordings and layouts within a unit and condition.
struct AnswerAgreement {
  std::size_t items = 0;     ///< compared
  double same_choice = 0.0;  ///< share with the same likeliest option (ties: the first); NaN without items
  double kappa = 0.0;        ///< Cohen's, of the likeliest options; NaN when chance alone would always agree
  double correlation = 0.0;  ///< Pearson, of all option probabilities; NaN when constant
};

AnswerAgreement answer_agreement(const AnswerTable& first, const AnswerTable& second);

}  // namespace valence
