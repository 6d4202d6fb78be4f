#include <algorithm>
#include <array>
#include <numeric>

#include "asking.h"
#include "form.h"

namespace valence {
namespace {

template <class... Args>
tl::unexpected<Error> badly_made(const ChoiceQuestion& question, fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kInvalid, "{}: {}", name_of(question.tag), fmt::format(format, std::forward<Args>(args)...));
}

Result<void> check_texts(const ChoiceQuestion& question) {
  const auto& options = question.options;
  if (question.text_form.empty()) return badly_made(question, "the text format needs a text_form");
  if (!question.listed.empty() && question.listed.size() != options.size())
    return badly_made(question, "{} options are listed, there are {}", question.listed.size(), options.size());
  for (auto one = options.begin(); one != options.end(); ++one) {
    const auto same = std::find(options.begin(), one, *one);
    if (same == one) continue;
    return badly_made(question, "options {} and {} are both \"{}\"; the text format cannot tell them apart",
                      same - options.begin() + 1, one - options.begin() + 1, *one);
  }
  if (question.normalisation == Normalisation::kUnconditional && question.unconditional_form.empty()) {
    return badly_made(question, "normalisation \"unconditional\" needs an unconditional_form");
  }
  return {};
}

Result<void> check_letters(const ChoiceQuestion& question) {
  if (question.letter_form.find("{options}") != std::string::npos) return {};
  return badly_made(question, "the letter format needs {{options}} in its letter_form");
}

Result<void> check(const ChoiceQuestion& question) {
  const auto count = question.options.size();
  if (count < 2) return badly_made(question, "a choice needs at least 2 options, got {}", count);
  const auto empty = std::ranges::find(question.options, "") - question.options.begin();
  if (static_cast<std::size_t>(empty) < count) return badly_made(question, "option {} is empty", empty + 1);
  if (question.route == Route::kGiven || question.route == Route::kRead) {
    return badly_made(question, "{} answers are not asked for", to_string(question.route));
  }
  if (question.route == Route::kSampled && question.draws == 0) {
    return badly_made(question, "the sampled route needs at least 1 draw per layout, got 0");
  }
  return question.format == AnswerFormat::kText ? check_texts(question) : check_letters(question);
}

Result<void> check_abilities(const ChoiceQuestion& question, const ModelCard& card) {
  if (question.route == Route::kExact && !card.can.scores) {
    return fail(ErrorCode::kUnsupported,
                "model {}: it does not give log-probabilities, which exact answers need; ask by the sampled route",
                card.name);
  }
  if (question.route == Route::kSampled && !card.can.generates) {
    return fail(ErrorCode::kUnsupported,
                "model {}: it does not generate text, which sampled answers need; ask by the exact route", card.name);
  }
  return {};
}

Layout text_layout(std::size_t options) {
  Layout layout;
  layout.place.resize(options);
  std::iota(layout.place.begin(), layout.place.end(), std::size_t{0});
  layout.order_name = "text";
  return layout;
}

Result<std::vector<Layout>> layouts_of(const ChoiceQuestion& question, const AskContext& context) {
  const auto count = question.options.size();
  const bool letters = question.format == AnswerFormat::kLetter;
  if (!letters && question.listed.empty()) return std::vector{text_layout(count)};
  const auto design = letters ? &valence::layouts_of : &unlabelled_layouts;
  auto layouts = design(question.layouts, count, stream_of(context.seed, "layouts", question.tag));
  if (!layouts) return tl::unexpected(with_context(std::move(layouts).error(), name_of(question.tag)));
  return layouts;
}

ScoreRequest score_request(const ChoiceQuestion& question, Prompt prompt, const std::vector<std::string>& options) {
  ScoreRequest request{std::move(prompt), {}, {}};
  for (const auto& option : options) request.continuations.push_back(continuation(question, option));
  return request;
}

/// `draws` requests on one prompt; what is drawn depends on the draw's number, not on how many there are.
void add_draws(AskedChoice& asked, const Prompt& prompt, const Layout& layout, const AskContext& context) {
  const auto& question = *asked.question;
  for (std::size_t draw = 0; draw < question.draws; ++draw) {
    auto sampling = question.sampling;
    sampling.seed = stream_of(context.seed, "draw", question.tag, layout.name(), draw).bits();
    asked.requests.emplace_back(GenerateRequest{prompt, std::move(sampling), {}});
  }
}

Result<void> add_requests(AskedChoice& asked, std::size_t at, const AskContext& context) {
  const auto& question = *asked.question;
  const auto& layout = asked.layouts[at];
  VALENCE_TRY(auto prompt, render(context, question.tag, question.history, asked.turns[at], question.answer_prefix));
  if (question.route == Route::kSampled) {
    add_draws(asked, prompt, layout, context);
    return {};
  }
  const bool letters = question.format == AnswerFormat::kLetter;
  asked.requests.emplace_back(score_request(question, std::move(prompt), letters ? layout.labels : question.options));
  if (letters || question.normalisation != Normalisation::kUnconditional) return {};
  VALENCE_TRY(auto neutral, render(context, question.tag, {}, question.unconditional_form, question.answer_prefix));
  asked.requests.emplace_back(score_request(question, std::move(neutral), question.options));
  return {};
}

/// What stands for a question of which no layout was scored: the most frequent status, the first of equals.
Status commonest(const std::vector<AnswerRow>& rows) {
  constexpr std::array kFailures{Status::kRefused, Status::kUnparseable, Status::kError};
  const auto count = [&](Status status) { return std::ranges::count(rows, status, &AnswerRow::status); };
  return *std::ranges::max_element(kFailures, {}, count);
}

void average_scored(ChoiceAnswer& answer, std::size_t options) {
  double layouts = 0.0;
  std::vector<double> sum(options, 0.0);
  double mass = 0.0;
  for (const auto& row : answer.rows) {
    if (row.status != Status::kScored) continue;
    for (std::size_t i = 0; i < options; ++i) sum[i] += row.probability[i];
    mass += row.captured_mass;
    layouts += 1.0;
  }
  for (auto& value : sum) value /= layouts;
  answer.probability = std::move(sum);
  answer.captured_mass = mass / layouts;
}

/// Draws what is said, for histories, from the first layout that was scored.
void draw(ChoiceAnswer& answer, const AskedChoice& asked, std::size_t at, const AskContext& context) {
  const auto& question = *asked.question;
  const auto& layout = asked.layouts[at];
  auto stream = stream_of(context.seed, "said", question.tag, layout.name());
  answer.drawn = stream.categorical(answer.rows[at].probability);
  answer.asked = asked.turns[at];
  answer.said = layout.labels.empty() ? question.options[answer.drawn] : layout.labels[layout.place[answer.drawn]];
}

}  // namespace

Result<AskedChoice> prepare(const ChoiceQuestion& question, const AskContext& context) {
  VALENCE_CHECK(check(question));
  VALENCE_CHECK(check_abilities(question, context.subject.model->card()));
  AskedChoice asked{&question, {}, {}, {}};
  VALENCE_TRY(asked.layouts, layouts_of(question, context));
  for (std::size_t at = 0; at < asked.layouts.size(); ++at) {
    const bool letters = question.format == AnswerFormat::kLetter;
    asked.turns.push_back(letters ? letter_turn(question, asked.layouts[at]) : text_turn(question, asked.layouts[at]));
    VALENCE_CHECK(add_requests(asked, at, context));
  }
  return asked;
}

ChoiceAnswer read(const AskedChoice& asked, std::span<const Answered> responses, const AskContext& context) {
  ChoiceAnswer answer;
  answer.rows = asked.question->route == Route::kExact ? read_exact(asked, responses)
                                                       : read_sampled(asked, responses, context);
  answer.asked = asked.turns.front();
  const auto first = std::ranges::find(answer.rows, Status::kScored, &AnswerRow::status);
  if (first == answer.rows.end()) {
    answer.status = commonest(answer.rows);
    return answer;
  }
  average_scored(answer, asked.question->options.size());
  draw(answer, asked, static_cast<std::size_t>(first - answer.rows.begin()), context);
  return answer;
}

}  // namespace valence
