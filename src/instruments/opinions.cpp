#include "valence/instruments/opinions.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "opinion_answers.h"
#include "parts.h"
#include "svo_wording.h"
#include "valence/base/digest.h"
#include "valence/base/random.h"
#include "valence/base/text.h"
#include "valence/exam/checks.h"
#include "valence/exam/question.h"
#include "valence/instruments/answer_key.h"
#include "valence/instruments/unit_means.h"
#include "valence/stats/distribution.h"

namespace valence {
namespace {

const InstrumentCard kOpinionsCard = {
    .id = "opinions",
    .title = "Opinions",
    .version = "2",
    .space = "opinions",
    .measures = "How a subject distributes its answers over the options of a survey's own questions. How far that is from how people answered, a gap to their answers says.",
    .limits = "It is what a subject says when asked like a respondent; nearness to a population's answers is no evidence of its values.",
    .citation = "Durmus et al. (2023), GlobalOpinionQA; Zhao et al. (2024), WorldValuesBench",
    .licence = "wordings Apache-2.0; questions by your file",
    .random_unit = "question",
    .cluster = "",
    .example = "--questions argentina.json"};

const SettingTable kOpinionsSettings = {
    {"questions",
     SettingType::kText,
     "",
     "",
     "distributional target whose questions are asked: the file of valence target import --form opinions",
     {},
     {},
     {}},
    {"count", SettingType::kInteger, "0", "questions", "so many of them, drawn by the seed; 0: all", {}, 0, 1e6},
    {"wordings",
     SettingType::kInteger,
     "0",
     "wordings",
     "so many of the parallel wordings for each question; 0: all",
     {},
     0,
     100},
    wording_part_setting(),
    {"item_part",
     SettingType::kChoice,
     "all",
     "",
     "questions for training or held out from it: about halves, by the hash of a question's words",
     {"all", "training", "held_out"},
     {},
     {}},
    {"format",
     SettingType::kChoice,
     "letter",
     "",
     "how options are offered: a label to name, or their text to continue with",
     {"letter", "text"},
     {},
     {}},
    {"labels", SettingType::kChoice, "letters", "", "labels of the options", {"letters", "digits", "words"}, {}, {}},
    {"orders",
     SettingType::kChoice,
     "both",
     "",
     "orders of the options in the letter format: both (the survey's and its reverse), paper, or rotations (every "
     "option once at every place)",
     {"both", "paper", "rotations"},
     {},
     {}},
    {"normalisation",
     SettingType::kChoice,
     "character",
     "",
     "format = text: what makes log-probabilities of texts comparable",
     {"none", "token", "character"},
     {},
     {}}};

struct OpinionWording {
  std::string id, letter, text;
};

Result<std::vector<OpinionWording>> opinion_wordings(const Settings& settings) {
  VALENCE_TRY(const auto root, read_wording_file("opinions"));
  VALENCE_TRY(const auto nodes, wording_list(root));
  std::vector<OpinionWording> all;
  for (const auto& node : nodes) {
    VALENCE_CHECK(node.allow_only({"id", "letter", "text"}));
    OpinionWording wording;
    VALENCE_TRY(wording.id, node.string_at("id"));
    VALENCE_TRY(wording.letter, node.string_at("letter"));
    VALENCE_TRY(wording.text, node.string_at("text"));
    all.push_back(std::move(wording));
  }
  auto wordings = wordings_in(std::move(all), settings.text("wording_part"));
  const auto wanted = static_cast<std::size_t>(settings.integer("wordings"));
  if (wanted > 0 && wanted < wordings.size()) wordings.resize(wanted);
  return wordings;
}

/// Leaves the questions of one part.
Result<void> keep_question_part(std::vector<OpinionQuestion>& questions, const std::string& part,
                                const std::string& file) {
  if (part == "all") return {};
  const bool training = part == "training";
  std::erase_if(questions, [&](const OpinionQuestion& question) { return is_for_training(question) != training; });
  if (!questions.empty()) return {};
  return fail(ErrorCode::kUsage, "{}: none of its questions is {}; take item_part = all, or a file of more questions",
              file, training ? "for training" : "held out");
}

/// What questions are drawn from.
Result<std::vector<OpinionQuestion>> questions_of_part(const Settings& settings) {
  const auto& file = settings.text("questions");
  if (file.empty())
    return fail(ErrorCode::kUsage,
                "opinions: say whose questions are asked: --questions FILE (valence target import --form opinions)");
  VALENCE_TRY(auto target, read_opinion_target(file));
  std::erase_if(target.questions, [](const OpinionQuestion& question) { return question.options.size() < 2; });
  if (target.questions.empty()) return fail(ErrorCode::kUsage, "{}: no question has two options", file);
  VALENCE_CHECK(keep_question_part(target.questions, settings.text("item_part"), file));
  return std::move(target.questions);
}

Result<std::vector<OpinionQuestion>> opinion_questions(const Settings& settings, std::uint64_t seed) {
  VALENCE_TRY(auto all, questions_of_part(settings));
  const auto count = static_cast<std::size_t>(settings.integer("count"));
  if (count == 0 || count >= all.size()) return all;
  std::vector<OpinionQuestion> some;
  for (const auto i : RandomStream(seed, "opinion questions").sample(all.size(), count))
    some.push_back(std::move(all[i]));
  return some;
}

/// What people answered, by the question's id.
AnswerKey opinion_key(const OpinionTarget& people) {
  AnswerKey key{
      fmt::format("each question's answers as {} distributed them ({})", people.group, people.id), people.ordered, {}};
  for (const auto& question : people.questions) key.answers[{"", question.id()}] = question.share;
  return key;
}

Result<void> check_any_answered(const std::vector<OpinionQuestion>& asked, const AnswerKey& key,
                                const OpinionTarget& people, const std::string& file) {
  const bool any = std::ranges::any_of(asked, [&](const OpinionQuestion& question) {
    return key.answers.contains({"", question.id()});
  });
  if (any) return {};
  return fail(
      ErrorCode::kUsage,
      "target {}: none of its {} questions is among the {} of {} with the same options; name the target's own file as "
      "questions, or one of the same survey",
      people.id, people.questions.size(), asked.size(), file);
}

Result<ChoiceQuestion> opinion_question(const OpinionQuestion& asked, const OpinionWording& wording, const Settings& settings) {
  ChoiceQuestion question;
  const auto id = asked.id();
  question.tag = {id, "", "", id, wording.id};
  question.options = asked.options;
  VALENCE_TRY(question.format, format_from(settings.text("format")));
  VALENCE_TRY(question.normalisation, normalisation_from(settings.text("normalisation")));
  VALENCE_TRY(question.layouts.labels, label_set_from(settings.text("labels")));
  VALENCE_TRY(question.layouts.orders, order_design_from(settings.text("orders")));
  VALENCE_TRY(question.letter_form, fill(wording.letter, {{"question", literal(asked.question)}, {"options", "{options}"}, {"labels", "{labels}"}}));
  VALENCE_TRY(question.text_form, fill(wording.text, {{"question", literal(asked.question)}, {"list", "{menu}"}}));
  question.listed = asked.options;
  return question;
}

/// The number of options that most questions have: probes are put in this form.
std::size_t usual_options(const std::vector<OpinionQuestion>& questions) {
  std::map<std::size_t, std::size_t> times;
  for (const auto& question : questions) ++times[question.options.size()];
  return std::ranges::max_element(times, {}, [](const auto& entry) { return entry.second; })->first;
}

constexpr std::string_view kOpinionSpread = "entropy", kOpinionSteadiness = "steadiness";

void declare_opinion_figures(UnitMeans& means) {
  means.declare({.id = std::string(kOpinionSpread), .dimension = "", .condition = "", .label = "spread of the answers (entropy)",
                 .unit = "", .low = 0.0, .high = 1.0, .headline = true});
  means.declare({.id = std::string(kOpinionSteadiness), .dimension = "", .condition = "", .label = "steadiness over wordings",
                 .unit = "", .low = 0.0, .high = 1.0, .headline = true});
}

/// Over all pairs of wordings; NaN with fewer than two.
double steadiness(const std::vector<std::vector<double>>& by_wording) {
  double sum = 0.0, pairs = 0.0;
  for (std::size_t i = 0; i < by_wording.size(); ++i) {
    for (std::size_t j = i + 1; j < by_wording.size(); ++j) {
      sum += stats::jensen_shannon_distance(by_wording[i], by_wording[j]);
      pairs += 1.0;
    }
  }
  return pairs > 0.0 ? 1.0 - sum / pairs : kUndefined;
}

class Opinions final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kOpinionsCard; }
  const SettingTable& settings() const override { return kOpinionsSettings; }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto asked, opinion_questions(settings, examination.seed));
    VALENCE_TRY(const auto wordings, opinion_wordings(settings));
    std::vector<Question> questions;
    for (const auto& one : asked) {
      for (const auto& wording : wordings) {
        VALENCE_TRY(auto question, opinion_question(one, wording, settings));
        questions.emplace_back(std::move(question));
      }
    }
    VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
    AnswerTable table;
    table.instrument = kOpinionsCard.id;
    add_choices(table, answers);
    if (!examination.gate) return table;
    ProbeForm form{.options = usual_options(asked)};
    VALENCE_TRY(form.format, format_from(settings.text("format")));
    VALENCE_TRY(form.labels, label_set_from(settings.text("labels")));
    VALENCE_TRY(table.probes, put_probes(examination.examiner, form));
    return table;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings&) const override {
    const auto answers = opinion_answers(table);
    if (answers.empty()) return fail(ErrorCode::kUsage, "answers: no scored answer to a question of a survey");
    auto means = std::make_unique<UnitMeans>();
    declare_opinion_figures(*means);
    for (const auto& [question, answer] : answers) {
      means->add(question, "", std::string(kOpinionSpread), stats::entropy(answer.share) / std::log(static_cast<double>(answer.share.size())));
      if (const double steady = steadiness(answer.by_wording); std::isfinite(steady)) means->add(question, "", std::string(kOpinionSteadiness), steady);
    }
    return means;
  }

  Result<AnswerKey> answer_key(const Target& target, const Settings& settings) const override {
    if (!target.opinions) {
      return fail(ErrorCode::kUsage,
                  "opinions cannot answer for target {}: scores do not say how people answered a survey's own "
                  "questions; take a file of answer distributions (valence target import --form opinions), or another "
                  "instrument for scores",
                  target.id);
    }
    VALENCE_TRY(const auto asked, questions_of_part(settings));
    auto key = opinion_key(*target.opinions);
    VALENCE_CHECK(check_any_answered(asked, key, *target.opinions, settings.text("questions")));
    return key;
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage, "opinions has no short form of answers: give a CSV or JSONL file as `valence export` writes it");
  }
};

}  // namespace

std::unique_ptr<Instrument> make_opinions() { return std::make_unique<Opinions>(); }

bool is_for_training(const OpinionQuestion& question) { return sha256(question.question).bytes.front() % 2 == 0; }

bool answers_opinions(const Instrument& instrument) { return instrument.card().id == kOpinionsCard.id; }

}  // namespace valence
