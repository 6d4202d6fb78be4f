#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/evaluate/judge.h"
#include "valence/exam/question.h"

namespace valence {

/// A question to a judge and what its answer is about.
struct JudgeQuestion {
  std::size_t row = 0, framing = 0;
  std::vector<std::size_t> dims;
  bool reversed = false;  ///< labels from upheld to opposed; of open questions
  Question question;
};

/// One answer, read: what it says about one cell.
struct JudgeVote {
  std::size_t row = 0, dim = 0, framing = 0;
  bool reversed = false;
  std::array<double, kLabelClasses> probability{};
};

/// Framings of the options (all that the route can use when none are named), as places in the protocol.
Result<std::vector<std::size_t>> framings_for(const JudgeProtocol& protocol, const JudgeOptions& options,
                                              JudgeRoute route);

/// One choice per value, put in both orders.
Result<std::vector<JudgeQuestion>> exact_questions(const JudgeProtocol& protocol, std::span<const PromptedText> texts,
                                                   std::span<const std::size_t> framings);

/// One open question per set of values, order and sample; held to a JSON schema if `constrained`.
Result<std::vector<JudgeQuestion>> sampled_questions(const JudgeProtocol& protocol, std::span<const PromptedText> texts,
                                                     std::span<const std::size_t> framings, const JudgeOptions& options,
                                                     bool constrained);

/// The class that a JSON answer gives to each of `dims`: −1 where it gives none. What stands around the object is
/// passed over.
std::vector<int> parse_judge_answer(std::string_view text, const JudgeProtocol& protocol,
                                    std::span<const std::size_t> dims);

}  // namespace valence
