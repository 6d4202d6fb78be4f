#include <algorithm>

#include "valence/base/random.h"
#include "valence/exam/probes.h"
#include "valence/exam/validity.h"

namespace valence {
namespace {

constexpr int kAnswerTokens = 8;  // of a sampled reply: "The answer is B." and the like

std::vector<std::string> in_shown_order(const ProbeQuestion& probe) {
  std::vector<std::string> shown(probe.options.size());
  for (std::size_t i = 0; i < shown.size(); ++i) shown[probe.place[i]] = probe.options[i];
  return shown;
}

/// The question as shown: its order is the probe's, so it is asked in that one order.
ChoiceQuestion choice_of(const ProbeQuestion& probe, const ProbeForm& form, const char* condition) {
  ChoiceQuestion question;
  question.tag = {probe.block, probe.category, condition, probe.item, probe.wording};
  question.letter_form = probe.letter_form;
  question.text_form = probe.text_form;
  question.unconditional_form = probe.unconditional_form;
  question.options = in_shown_order(probe);
  question.format = form.format;
  question.normalisation = form.normalisation;
  question.layouts = {OrderDesign::kPaper, form.labels, 1};
  return question;
}

ChoiceQuestion sampled(ChoiceQuestion question) {
  question.route = Route::kSampled;
  question.draws = kAgreementDraws;
  question.sampling.temperature = 1.0;
  question.sampling.max_tokens = kAnswerTokens;
  return question;
}

/// From the order shown to the probe's own: the right answer first.
AnswerRow in_item_order(AnswerRow row, const ProbeQuestion& probe) {
  const auto shown = row.probability;
  for (std::size_t i = 0; i < shown.size(); ++i) row.probability[i] = shown[probe.place[i]];
  row.place = probe.place;
  row.layout = fmt::format("right answer at {}, {}", probe.place.front() + 1,
                           row.format == AnswerFormat::kText ? "text" : row.layout.substr(row.layout.find(", ") + 2));
  return row;
}

/// Which probes are answered in sampled text too.
std::vector<std::size_t> compared(std::size_t wanted, std::size_t total, std::uint64_t seed) {
  return RandomStream(seed, "text agreement").sample(total, std::min(wanted, total));
}

}  // namespace

Result<std::vector<AnswerRow>> put_probes(Examiner& examiner, const ProbeForm& form) {
  VALENCE_TRY(const auto probes, probe_questions(form, examiner.seed()));
  const auto& can = examiner.subject().model->card().can;
  std::vector<Question> questions;
  std::vector<std::size_t> probe_of;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    const auto question = choice_of(probes[i], form, kProbeCondition);
    questions.emplace_back(can.scores ? question : sampled(question));
    probe_of.push_back(i);
  }
  const auto wanted = can.scores && can.generates ? form.agreement : 0;
  for (const auto i : compared(wanted, probes.size(), examiner.seed())) {
    questions.emplace_back(sampled(choice_of(probes[i], form, kAgreementCondition)));
    probe_of.push_back(i);
  }

  VALENCE_TRY(auto answers, examiner.ask(questions, "probe question"));
  std::vector<AnswerRow> rows;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    auto& answer = std::get<ChoiceAnswer>(answers[i]);
    rows.push_back(in_item_order(std::move(answer.rows.front()), probes[probe_of[i]]));
  }
  return rows;
}

}  // namespace valence
