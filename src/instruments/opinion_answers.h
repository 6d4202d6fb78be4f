#pragma once

#include <map>
#include <string>
#include <vector>

#include "valence/store/answers.h"

namespace valence {

/// How one question was answered: means over layouts.
struct OpinionAnswer {
  std::vector<double> share;                    ///< per option, over all wordings
  std::vector<std::vector<double>> by_wording;
};

/// Scored answers by question.
std::map<std::string, OpinionAnswer> opinion_answers(const AnswerTable& table);

}  // namespace valence
