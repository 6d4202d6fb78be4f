#include "valence/exam/examiner.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "asking.h"
#include "valence/base/text.h"
#include "valence/exam/parse.h"

namespace valence {
namespace {

/// A question on its way and where its requests stand in the wave.
struct Asked {
  const Question* question;
  std::optional<AskedChoice> choice;  ///< unless it is an open question
  std::size_t first = 0, count = 0;
};

Result<Asked> prepare_question(const Question& question, const AskContext& context, std::vector<Request>& requests) {
  Asked asked{&question, {}, requests.size(), 1};
  if (const auto* open = std::get_if<OpenQuestion>(&question)) {
    VALENCE_TRY(auto request, prepare(*open, context));
    requests.push_back(std::move(request));
    return asked;
  }
  VALENCE_TRY(asked.choice, prepare(std::get<ChoiceQuestion>(question), context));
  asked.count = asked.choice->requests.size();
  for (auto& request : asked.choice->requests) requests.push_back(std::move(request));
  asked.choice->requests.clear();
  return asked;
}

Answer read_question(const Asked& asked, std::span<const Answered> responses, const AskContext& context) {
  const auto own = responses.subspan(asked.first, asked.count);
  if (asked.choice) return read(*asked.choice, own, context);
  return read(std::get<OpenQuestion>(*asked.question), own.front(), context);
}

const Tag& tag_of(const Question& question) {
  return std::visit([](const auto& one) -> const Tag& { return one.tag; }, question);
}

constexpr const char* kLeftOut = "the item is left out";

Answer left_out(const Question& question) {
  if (std::holds_alternative<ChoiceQuestion>(question)) {
    ChoiceAnswer answer;
    answer.status = Status::kError;
    return answer;
  }
  OpenAnswer answer;
  answer.status = Status::kError;
  answer.row = unanswered_row(tag_of(question));
  answer.row.format = AnswerFormat::kText;
  answer.row.route = Route::kSampled;
  answer.row.status = Status::kError;
  answer.row.text = kLeftOut;
  return answer;
}

PassageScore read_passage(const Answered& answered) {
  if (!answered.response) return {.digest = answered.digest, .reason = answered.response.error().message};
  const auto* scores = std::get_if<ContinuationScores>(&*answered.response);
  if (!scores || scores->continuations.size() != 1)
    return {.digest = answered.digest, .reason = "the engine gave no score"};
  return {.token_logprobs = scores->continuations.front().token_logprobs, .digest = answered.digest};
}

std::string text_of(const LanguageModel& model, const Prompt& prompt) {
  std::string text;
  if (const auto tokens = model.view(prompt)) {
    for (const auto& token : *tokens) text += token.text;
  }
  return text.empty() ? prompt.wire : text;
}

}  // namespace

struct Examiner::State {
  const Subject& subject;
  Keeping keeping;
  ExaminerOptions options;
  std::optional<std::vector<std::string>> refusals;  ///< read at the first question
  Statistics statistics;

  Result<std::vector<Answer>> ask(std::span<const Question> questions, std::string what);
  Result<std::vector<PassageScore>> score(std::span<const Passage> passages);
  bool is_left_out(const Question& question) const { return options.leave_out.contains(tag_of(question).item); }
  void record_first(const std::vector<Request>& requests);
};

void Examiner::State::record_first(const std::vector<Request>& requests) {
  if (requests.empty() || !statistics.first_prompt.empty()) return;
  const auto& prompt = std::visit([](const auto& one) -> const Prompt& { return one.context; }, requests.front());
  statistics.first_prompt = text_of(*subject.model, prompt);
  statistics.first_tokens = prompt.tokens;
}

Result<std::vector<Answer>> Examiner::State::ask(std::span<const Question> questions, std::string what) {
  if (!refusals) {
    VALENCE_TRY(refusals, refusal_phrases());
  }
  const AskContext context{subject, options.seed, *refusals};
  std::vector<Asked> asked;
  std::vector<Request> requests;
  for (const auto& question : questions) {
    if (is_left_out(question)) continue;
    VALENCE_TRY(auto one, prepare_question(question, context, requests));
    asked.push_back(std::move(one));
  }
  record_first(requests);

  const WaveControl control{options.stop, options.progress, std::move(what)};
  VALENCE_TRY(const auto responses, answer_all(*subject.model, std::move(requests), keeping, control, statistics));
  std::vector<Answer> answers;
  auto one = asked.begin();
  for (const auto& question : questions) {
    answers.push_back(is_left_out(question) ? left_out(question) : read_question(*one++, responses, context));
  }
  return answers;
}

Result<std::vector<PassageScore>> Examiner::State::score(std::span<const Passage> passages) {
  const auto& card = subject.model->card();
  if (!card.can.scores)
    return fail(ErrorCode::kUnsupported, "model {}: it does not give log-probabilities of texts", card.name);
  const std::vector<std::string> none;
  const AskContext context{subject, options.seed, none};
  std::vector<Request> requests;
  for (const auto& passage : passages) {
    VALENCE_TRY(auto prompt, render(context, passage.tag, passage.history, passage.prompt, {}));
    requests.push_back(ScoreRequest{std::move(prompt), {passage.text}, {}});
  }
  record_first(requests);
  const WaveControl control{options.stop, options.progress,
                            fmt::format("scoring {} texts", with_thousands(passages.size()))};
  VALENCE_TRY(const auto responses, answer_all(*subject.model, std::move(requests), keeping, control, statistics));
  std::vector<PassageScore> scores;
  for (const auto& response : responses) scores.push_back(read_passage(response));
  return scores;
}

Examiner::Examiner(const Subject& subject, Store* store, RunId run, ExaminerOptions options)
    : state_(new State{subject, {store, run, options.reuse}, std::move(options), {}, {}}) {}

Examiner::~Examiner() = default;

Result<std::vector<Answer>> Examiner::ask(std::span<const Question> questions, std::string_view noun) {
  const auto count = static_cast<std::size_t>(
      std::ranges::count_if(questions, [&](const auto& question) { return !state_->is_left_out(question); }));
  return state_->ask(questions, fmt::format("asking {} {}{}", with_thousands(count), noun, count == 1 ? "" : "s"));
}

Result<std::vector<std::vector<Answer>>> Examiner::converse(std::span<const std::unique_ptr<Dialogue>> dialogues) {
  std::vector<std::vector<Answer>> histories(dialogues.size());
  std::vector<bool> over(dialogues.size(), false);
  for (std::size_t wave = 1;; ++wave) {
    std::vector<Question> questions;
    std::vector<std::size_t> asker;  // dialogue of each question
    for (std::size_t i = 0; i < dialogues.size(); ++i) {
      if (over[i]) continue;
      auto next = dialogues[i]->next(histories[i]);
      over[i] = next.empty();
      asker.insert(asker.end(), next.size(), i);
      std::move(next.begin(), next.end(), std::back_inserter(questions));
    }
    if (questions.empty()) return histories;
    auto what = fmt::format("{}, turn {}", dialogues.size() == 1 ? "1 dialogue" : with_thousands(dialogues.size()) + " dialogues", wave);
    VALENCE_TRY(auto answers, state_->ask(questions, std::move(what)));
    for (std::size_t i = 0; i < answers.size(); ++i) histories[asker[i]].push_back(std::move(answers[i]));
  }
}

Result<std::vector<PassageScore>> Examiner::score(std::span<const Passage> passages) { return state_->score(passages); }

Examiner Examiner::beside(const Subject& other) const {
  return Examiner(other, state_->keeping.store, state_->keeping.run, state_->options);
}

const Subject& Examiner::subject() const { return state_->subject; }
std::uint64_t Examiner::seed() const { return state_->options.seed; }
const Examiner::Statistics& Examiner::statistics() const { return state_->statistics; }

}  // namespace valence
