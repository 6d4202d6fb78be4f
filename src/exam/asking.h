#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/random.h"
#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/exam/question.h"
#include "wave.h"

namespace valence {

/// What turning questions into requests, and responses into answers, needs to know.
struct AskContext {
  const Subject& subject;
  std::uint64_t seed;
  const std::vector<std::string>& refusals;
};

/// A choice question on its way: the layouts it is put in and what was asked in each.
///
/// Requests, in order: exact letters: one per layout. Exact text: one, and one more for kUnconditional. Sampled: `draws`
/// per layout, layout by layout.
struct AskedChoice {
  const ChoiceQuestion* question;
  std::vector<Layout> layouts;      ///< one without labels in the text format
  std::vector<std::string> turns;   ///< the last user turn in each
  std::vector<Request> requests;
};

Result<AskedChoice> prepare(const ChoiceQuestion& question, const AskContext& context);
ChoiceAnswer read(const AskedChoice& asked, std::span<const Answered> responses, const AskContext& context);

Result<Request> prepare(const OpenQuestion& question, const AskContext& context);
OpenAnswer read(const OpenQuestion& question, const Answered& response, const AskContext& context);

/// Rows of the exact routes (read_exact.cpp) and of the sampled one (read_sampled.cpp), one per layout.
std::vector<AnswerRow> read_exact(const AskedChoice& asked, std::span<const Answered> responses);
std::vector<AnswerRow> read_sampled(const AskedChoice& asked, std::span<const Answered> responses,
                                    const AskContext& context);

/// The stream of one purpose for one question: named by the run's seed, the tag and `part`, never by order.
RandomStream stream_of(std::uint64_t seed, std::string_view purpose, const Tag& tag, std::string_view part = {},
                       std::uint64_t index = 0);

/// A row with everything but the answer.
AnswerRow unanswered_row(const Tag& tag);
AnswerRow unanswered_row(const AskedChoice& asked, std::size_t layout);

/// `item "…"`, for messages about a question.
std::string name_of(const Tag& tag);

/// Renders one conversation; an error names the question.
Result<Prompt> render(const AskContext& context, const Tag& tag, std::span<const Message> history,
                      std::string_view turn, std::string_view answer_prefix);

}  // namespace valence
