// Preferences of a model under principles, both orders averaged (Bai et al. 2022, the second stage).
#include "valence/align/constitution.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// On one line, so that an answer cannot pass for the next option.
std::string one_line(const std::string& text) { return trim(replace_all(replace_all(text, "\r", " "), "\n", " ")); }

std::string conversation_of(const OpenPrompt& prompt) {
  std::string text;
  for (const auto& turn : prompt.history)
    text += fmt::format("{}: {}\n", turn.role == Role::kAssistant ? "Assistant" : "Person", one_line(turn.text));
  return text + fmt::format("Person: {}", one_line(prompt.text));
}

/// The form with the principle and the conversation in it; {options} and {labels} are the examiner's to fill.
Result<std::string> letter_form(const Constitution& constitution, const AnswerPair& pair, const Principle& principle) {
  return fill(constitution.preference, {{"principle", literal(principle.text)},
                                        {"conversation", literal(conversation_of(pair.prompt))},
                                        {"options", "{options}"},
                                        {"labels", "{labels}"}});
}

Result<ChoiceQuestion> question_of(const Constitution& constitution, const AnswerPair& pair, std::size_t number,
                                   const Principle& principle) {
  ChoiceQuestion question;
  question.tag = {pair.prompt.id, "", principle.id, pair.prompt.text, fmt::format("pair {}", number + 1)};
  VALENCE_TRY(question.letter_form, letter_form(constitution, pair, principle));
  question.option_line = constitution.option_line;
  question.answer_prefix = constitution.preference_prefix;
  question.options = {one_line(pair.first), one_line(pair.second)};
  question.layouts.orders = OrderDesign::kBoth;
  return question;
}

double first_place(const ChoiceAnswer& answer) {
  double sum = 0.0, scored = 0.0;
  for (const auto& row : answer.rows) {
    if (row.status != Status::kScored) continue;
    sum += row.place[0] == 0 ? row.probability[0] : row.probability[1];
    scored += 1.0;
  }
  return scored > 0.0 ? sum / scored : 0.5;
}

/// Both orders must have been answered: one alone is the judge's preference for a place.
bool is_balanced(const ChoiceAnswer& answer) {
  if (answer.rows.size() != 2) return false;
  return answer.rows[0].status == Status::kScored && answer.rows[1].status == Status::kScored;
}

}  // namespace

Result<std::vector<Preference>> prefer(Examiner& judge, const Constitution& constitution,
                                       std::span<const AnswerPair> pairs) {
  std::vector<Question> questions;
  std::vector<Preference> preferences;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& principle = constitution.drawn(judge.seed(), pairs[i].prompt.id, i);
    VALENCE_TRY(auto question, question_of(constitution, pairs[i], i, principle));
    questions.emplace_back(std::move(question));
    preferences.push_back({i, principle.id, Status::kError, 0.5, 0.5});
  }
  VALENCE_TRY(const auto answers, judge.ask(questions));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& answer = std::get<ChoiceAnswer>(answers[i]);
    preferences[i].status =
        answer.status == Status::kScored && !is_balanced(answer) ? Status::kUnparseable : answer.status;
    if (preferences[i].status != Status::kScored) continue;
    preferences[i].first = answer.probability[0];
    preferences[i].first_place = first_place(answer);
  }
  return preferences;
}

}  // namespace valence
