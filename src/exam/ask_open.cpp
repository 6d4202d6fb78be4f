#include "asking.h"
#include "valence/base/text.h"
#include "valence/exam/parse.h"

namespace valence {

Result<Request> prepare(const OpenQuestion& question, const AskContext& context) {
  const auto& card = context.subject.model->card();
  if (!card.can.generates) {
    return fail(ErrorCode::kUnsupported, "model {}: it does not generate text, which open questions need", card.name);
  }
  VALENCE_TRY(auto prompt, render(context, question.tag, question.history, question.text, {}));
  auto sampling = question.sampling;
  sampling.seed = stream_of(context.seed, "open", question.tag).bits();
  return GenerateRequest{std::move(prompt), std::move(sampling), question.constraint};
}

OpenAnswer read(const OpenQuestion& question, const Answered& response, const AskContext& context) {
  OpenAnswer answer;
  answer.asked = question.text;
  answer.row = unanswered_row(question.tag);
  answer.row.format = AnswerFormat::kText;
  answer.row.route = Route::kSampled;
  answer.row.digest = response.digest;
  const auto* completion = response.response ? std::get_if<Completion>(&*response.response) : nullptr;
  if (!completion) {
    answer.status = answer.row.status = Status::kError;
    answer.row.text = response.response ? "the engine gave scores instead of text" : response.response.error().message;
    return answer;
  }
  answer.completion = *completion;
  answer.row.text = completion->text;
  answer.row.draws = 1;
  if (trim(completion->text).empty()) answer.status = Status::kUnparseable;
  if (is_refusal(completion->text, context.refusals)) answer.status = Status::kRefused;
  answer.row.status = answer.status;
  answer.row.captured_mass = answer.status == Status::kScored ? 1.0 : 0.0;
  return answer;
}

}  // namespace valence
