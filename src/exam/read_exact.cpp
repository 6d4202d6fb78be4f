#include <cmath>

#include "asking.h"
#include "valence/base/text.h"
#include "valence/stats/distribution.h"

namespace valence {
namespace {

/// Log-probabilities of the options' continuations, terminators included.
std::vector<double> totals(const ContinuationScores& scores) {
  std::vector<double> out;
  for (const auto& one : scores.continuations) out.push_back(one.total());
  return out;
}

/// Sum over an option's own tokens: a terminator is no part of a normalised score.
double own_tokens(const ContinuationScore& score) { return stats::pairwise_sum(score.token_logprobs); }

std::vector<double> lengths(const ChoiceQuestion& question, const ContinuationScores& scores) {
  std::vector<double> out;
  for (std::size_t i = 0; i < question.options.size(); ++i) {
    const auto length = question.normalisation == Normalisation::kToken
                            ? scores.continuations[i].token_logprobs.size()
                            : code_points(question.options[i]);
    out.push_back(static_cast<double>(length));
  }
  return out;
}

std::vector<double> per_length(const ChoiceQuestion& question, const ContinuationScores& scores) {
  const auto length = lengths(question, scores);
  const double mean_length = stats::mean(length);
  std::vector<double> out;
  for (std::size_t i = 0; i < length.size(); ++i) {
    out.push_back(own_tokens(scores.continuations[i]) / length[i] * mean_length);
  }
  return out;
}

/// Scores whose softmax are the options' probabilities.
std::vector<double> text_scores(const ChoiceQuestion& question, const ContinuationScores& scores,
                                const ContinuationScores* unconditional) {
  if (question.normalisation == Normalisation::kNone) return totals(scores);
  if (!unconditional) return per_length(question, scores);
  auto out = totals(scores);
  const auto neutral = totals(*unconditional);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] -= neutral[i];
  return out;
}

void become_error(AnswerRow& row, std::string reason) {
  row.status = Status::kError;
  row.text = std::move(reason);
}

/// Fills probability and mass from scores by place (or by option, in the text format).
void fill_row(AnswerRow& row, const std::vector<double>& scores, const ContinuationScores& raw) {
  const double top = stats::log_sum_exp(scores);
  if (!std::isfinite(top)) return become_error(row, "the model gives none of the options any probability");
  const auto shown = stats::softmax(scores);
  const bool letters = row.format == AnswerFormat::kLetter;
  for (std::size_t i = 0; i < row.place.size(); ++i) row.probability.push_back(shown[letters ? row.place[i] : i]);
  row.captured_mass = std::min(1.0, std::exp(stats::log_sum_exp(totals(raw))));
}

const ContinuationScores* scores_of(const Answered& answered) {
  return answered.response ? std::get_if<ContinuationScores>(&*answered.response) : nullptr;
}

std::string reason_of(const Answered& answered) {
  return answered.response ? "the engine gave text instead of scores" : answered.response.error().message;
}

}  // namespace

std::vector<AnswerRow> read_exact(const AskedChoice& asked, std::span<const Answered> responses) {
  const auto& question = *asked.question;
  const bool letters = question.format == AnswerFormat::kLetter;
  std::vector<AnswerRow> rows;
  for (std::size_t at = 0; at < asked.layouts.size(); ++at) {
    auto& row = rows.emplace_back(unanswered_row(asked, at));
    row.digest = responses[at].digest;
    const auto* scores = scores_of(responses[at]);
    const bool two = !letters && question.normalisation == Normalisation::kUnconditional;
    const auto* neutral = two ? scores_of(responses[at + 1]) : nullptr;
    if (!scores || (two && !neutral)) {
      become_error(row, reason_of(scores ? responses[at + 1] : responses[at]));
      continue;
    }
    fill_row(row, letters ? totals(*scores) : text_scores(question, *scores, neutral), *scores);
  }
  return rows;
}

}  // namespace valence
