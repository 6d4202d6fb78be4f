#include "valence/instruments/questionnaire.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "parts.h"
#include "valence/base/csv.h"
#include "valence/base/text.h"
#include "valence/exam/checks.h"
#include "valence/exam/question.h"
#include "valence/instruments/answer_key.h"
#include "valence/instruments/moralchoice.h"
#include "valence/instruments/unit_means.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"
#include "valence/stats/max_entropy.h"

namespace valence {
namespace {

const InstrumentCard kQuestionnaireCard = {
    .id = "questionnaire",
    .title = "Questionnaire",
    .version = "1",
    .space = "schwartz10",
    .measures = "What a subject says of itself on a rating scale, scored by a published key (PVQ-40 unless another file is named).",
    .limits = "It is self-report: what a subject says of itself, not what it does.",
    .citation = "Schwartz et al. (2001), Portrait Values Questionnaire (shipped); others by their data file",
    .licence = "MIT (item texts as in ValueBench)",
    .random_unit = "wording",
    .cluster = ""};

const SettingTable kQuestionnaireSettings = {
    {"questionnaire",
     SettingType::kText,
     "pvq40",
     "",
     "name of a shipped questionnaire, or the path of a questionnaire.toml",
     {},
     {},
     {}},
    {"wordings", SettingType::kInteger, "5", "wordings", "parallel wordings; each is one administration", {}, 1, 50},
    wording_part_setting(),
    {"item_part",
     SettingType::kChoice,
     "all",
     "",
     "items for training or held out from it: halves of every dimension",
     {"all", "training", "held_out"},
     {},
     {}},
    {"format",
     SettingType::kChoice,
     "auto",
     "",
     "auto: the one in which probe questions are answered better",
     {"auto", "letter", "text"},
     {},
     {}},
    {"labels",
     SettingType::kChoice,
     "digits",
     "",
     "labels of the answers in the letter format",
     {"letters", "digits", "words"},
     {},
     {}},
    {"orders",
     SettingType::kChoice,
     "both",
     "",
     "order of the answers in the letter format",
     {"paper", "both"},
     {},
     {}}};

ChoiceQuestion make_question(const Questionnaire& questionnaire, const QuestionnaireItem& item, const QuestionnaireWording& wording,
                             AnswerFormat format, const LayoutDesign& layouts) {
  ChoiceQuestion question;
  question.tag = {wording.id, "", "", item.id, wording.id};
  question.options = questionnaire.labels;
  question.format = format;
  question.normalisation = Normalisation::kCharacter;
  question.layouts = layouts;
  return question;
}

/// Items of the other part.
std::set<std::string> items_left_out(const Questionnaire& questionnaire, const std::string& part) {
  if (part == "all") return {};
  auto halves = questionnaire_halves(questionnaire);
  return part == "training" ? std::move(halves.held_out) : std::move(halves.training);
}

Result<std::vector<Question>> make_questions(const Questionnaire& questionnaire, const Settings& settings, AnswerFormat format) {
  VALENCE_TRY(const auto orders, order_design_from(settings.text("orders")));
  VALENCE_TRY(const auto labels, label_set_from(settings.text("labels")));
  auto wordings = wordings_in(questionnaire.wordings, settings.text("wording_part"));
  wordings.resize(std::min(static_cast<std::size_t>(settings.integer("wordings")), wordings.size()));
  const auto left_out = items_left_out(questionnaire, settings.text("item_part"));
  std::vector<Question> questions;
  for (const auto& wording : wordings) {
    for (const auto& item : questionnaire.items) {
      if (left_out.contains(item.id)) continue;
      auto question = make_question(questionnaire, item, wording, format, {.orders = orders, .labels = labels, .count = 1});
      VALENCE_TRY(question.letter_form, fill(wording.letter, {{"item", literal(item.text)}, {"options", "{options}"}, {"labels", "{labels}"}}));
      VALENCE_TRY(question.text_form, fill(wording.text, {{"item", item.text}}));
      questions.emplace_back(std::move(question));
    }
  }
  return questions;
}

double expected_answer(const Questionnaire& questionnaire, const AnswerRow& row) {
  if (row.status != Status::kScored || row.probability.size() != questionnaire.labels.size()) return kUndefined;
  double mean = 0.0;
  for (std::size_t i = 0; i < row.probability.size(); ++i) mean += row.probability[i] * (questionnaire.from + static_cast<double>(i));
  return mean;
}

/// Mean expected answer per item over the layouts of one unit; NaN where an item has no scored answer.
using UnitAnswers = std::map<std::string, std::vector<double>>;

Result<UnitAnswers> answers_by_unit(const Questionnaire& questionnaire, const AnswerTable& table, AnswerFormat format) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < questionnaire.items.size(); ++i) index[questionnaire.items[i].id] = i;
  UnitAnswers sums, counts;
  const std::vector<double> zeros(questionnaire.items.size(), 0.0);
  for (const auto& row : table.rows) {
    const auto item = index.find(row.item);
    if (item == index.end()) return fail(ErrorCode::kUsage, "answers: {} has no item \"{}\"", questionnaire.id, row.item);
    const double answer = expected_answer(questionnaire, row);
    if (row.format != format || std::isnan(answer)) continue;
    sums.try_emplace(row.unit, zeros).first->second[item->second] += answer;
    counts.try_emplace(row.unit, zeros).first->second[item->second] += 1.0;
  }
  for (auto& [unit, values] : sums) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = counts[unit][i] > 0.0 ? values[i] / counts[unit][i] : kUndefined;
  }
  return sums;
}

void file_scores(UnitMeans& means, const Questionnaire& questionnaire, const std::string& unit, std::span<const double> answers, bool centred) {
  const auto dimensions = questionnaire.dimensions();
  const auto scores = questionnaire_scores(questionnaire, answers, centred);
  const double width = questionnaire.to - questionnaire.from;
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    const auto id = dimensions[d] + (centred ? ".centred" : ".raw");
    means.declare({.id = id, .dimension = dimensions[d], .condition = centred ? "centred" : "raw",
                   .label = replace_all(dimensions[d], "_", " ") + (centred ? ", centred" : ", mean answer"), .unit = "scale points",
                   .low = centred ? -width : questionnaire.from, .high = centred ? width : questionnaire.to,
                   .headline = centred == questionnaire.centre});
    means.add(unit, "", id, std::round(scores[d] * 1e9) / 1e9);  // sums leave 1e-15 behind
  }
}

AnswerFormat headline_format(const AnswerTable& table, const Settings& settings) {
  if (settings.text("format") == "letter") return AnswerFormat::kLetter;
  if (settings.text("format") == "text") return AnswerFormat::kText;
  const bool any_letter = std::any_of(table.rows.begin(), table.rows.end(), [](const auto& row) { return row.format == AnswerFormat::kLetter; });
  const bool any_text = std::any_of(table.rows.begin(), table.rows.end(), [](const auto& row) { return row.format == AnswerFormat::kText; });
  if (any_letter != any_text) return any_letter ? AnswerFormat::kLetter : AnswerFormat::kText;
  return format_by_probes(table.probes);
}

std::vector<AnswerFormat> formats_of(const Settings& settings) {
  if (settings.text("format") == "letter") return {AnswerFormat::kLetter};
  if (settings.text("format") == "text") return {AnswerFormat::kText};
  return {AnswerFormat::kLetter, AnswerFormat::kText};
}

Result<AnswerRow> given_row(const Questionnaire& questionnaire, std::size_t item, const std::string& text) {
  AnswerRow row;
  row.unit = "given";
  row.item = questionnaire.items[item].id;
  row.route = Route::kGiven;
  VALENCE_TRY(const auto answer, parse_number(trim(text), fmt::format("answer {}", item + 1)));
  if (answer != std::floor(answer) || answer < questionnaire.from || answer > questionnaire.to) {
    return fail(ErrorCode::kUsage, "answer {}: {} should be a whole number from {} to {}", item + 1, text, questionnaire.from, questionnaire.to);
  }
  row.probability.assign(questionnaire.labels.size(), 0.0);
  row.probability[static_cast<std::size_t>(answer - questionnaire.from)] = 1.0;
  return row;
}

/// Standard deviation over items of the mean answer, within each administration; the mean over administrations.
ValidityCheck spread_check(const AnswerTable& table, const GateThresholds& gate) {
  std::map<std::string, std::map<std::string, std::vector<double>>> answers;
  for (const auto& row : table.rows) {
    if (row.status == Status::kScored && !row.probability.empty())
      answers[row.unit][row.item].push_back(stats::mean_step(row.probability));
  }
  std::vector<double> spreads;
  for (const auto& [unit, items] : answers) {
    std::vector<double> means;
    for (const auto& [item, values] : items) means.push_back(stats::mean(values));
    if (means.size() > 1) spreads.push_back(std::sqrt(stats::variance(means)));
  }
  return judged({"item_spread", "spread of the answers over items, in steps of the scale", gate.item_spread, true},
                clamped(stats::student_mean(spreads, "wording"), 0.0, 100.0), gate);
}

class QuestionnaireInstrument final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kQuestionnaireCard; }
  const SettingTable& settings() const override { return kQuestionnaireSettings; }

  Result<std::string> space(const Settings& settings) const override {
    VALENCE_TRY(const auto questionnaire, load_questionnaire(settings.text("questionnaire")));
    return questionnaire.space;
  }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto questionnaire, load_questionnaire(settings.text("questionnaire")));
    VALENCE_TRY(const auto labels, label_set_from(settings.text("labels")));
    AnswerTable table;
    for (const auto format : formats_of(settings)) {
      VALENCE_TRY(const auto questions, make_questions(questionnaire, settings, format));
      VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
      add_choices(table, answers);
      if (!examination.gate) continue;
      ProbeForm form{.options = questionnaire.labels.size(), .format = format, .labels = labels};
      VALENCE_TRY(const auto probes, put_probes(examination.examiner, form));
      table.probes.insert(table.probes.end(), probes.begin(), probes.end());
    }
    return table;
  }

  AnswerTable headline(const AnswerTable& table, const Settings& settings) const override {
    const auto format = headline_format(table, settings);
    const auto other = [&](const AnswerRow& row) { return row.format != format; };
    AnswerTable part = table;
    std::erase_if(part.rows, other);
    std::erase_if(part.probes, other);
    return part;
  }

  /// Answers that do not differ between items say nothing about priorities, whoever gave them.
  Validity assess(const AnswerTable& table, const Settings& settings, const GateThresholds& gate) const override {
    auto validity = Instrument::assess(table, settings, gate);
    const auto check = spread_check(headline(table, settings), gate);
    if (!validity.assessed && check.passed) return validity;
    validity.assessed = true;
    validity.checks.push_back(check);
    return validity;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings& settings) const override {
    VALENCE_TRY(const auto questionnaire, load_questionnaire(settings.text("questionnaire")));
    VALENCE_TRY(const auto answers, answers_by_unit(questionnaire, table, headline_format(table, settings)));
    if (answers.empty()) return fail(ErrorCode::kUsage, "answers: no scored answer to an item of {}", questionnaire.id);
    auto means = std::make_unique<UnitMeans>();
    for (const auto& [unit, values] : answers) {
      file_scores(*means, questionnaire, unit, values, questionnaire.centre);
      file_scores(*means, questionnaire, unit, values, !questionnaire.centre);
    }
    return means;
  }

  Result<AnswerKey> answer_key(const Target& target, const Settings& settings) const override {
    VALENCE_TRY(const auto questionnaire, load_questionnaire(settings.text("questionnaire")));
    return questionnaire_key(questionnaire, target);
  }

  /// "3 4 1 …" or "3,4,1,…": one whole number per item, in item order; "-" for a missing answer.
  Result<AnswerTable> parse_answers(std::string_view text, const Settings& settings) const override {
    VALENCE_TRY(const auto questionnaire, load_questionnaire(settings.text("questionnaire")));
    auto parts = split(replace_all(text, ",", " "), " ");
    std::erase_if(parts, [](const auto& part) { return part.empty(); });
    if (parts.size() != questionnaire.items.size()) {
      return fail(ErrorCode::kUsage, "{} has {} items, got {} answers", questionnaire.id, questionnaire.items.size(), parts.size());
    }
    AnswerTable table;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] == "-") continue;
      VALENCE_TRY(auto row, given_row(questionnaire, i, parts[i]));
      table.rows.push_back(std::move(row));
    }
    return table;
  }
};

}  // namespace

std::unique_ptr<Instrument> make_questionnaire() { return std::make_unique<QuestionnaireInstrument>(); }

}  // namespace valence
