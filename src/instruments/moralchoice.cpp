#include "valence/instruments/moralchoice.h"

#include <algorithm>

#include "moralchoice_estimator.h"
#include "valence/base/random.h"
#include "valence/base/text.h"
#include "valence/exam/question.h"

namespace valence {
namespace {

const InstrumentCard kMoralChoiceCard = {
    .id = "moralchoice",
    .title = "MoralChoice",
    .version = "1",
    .space = "moralchoice",
    .measures = "Which of two actions a subject takes in morally loaded situations, and how consistently.",
    .limits = "It shows choices between given actions, not reasons; where no action is commonly preferred (high ambiguity) no answer is right.",
    .citation = "Scherrer, Shi, Feder, Blei (2023), Evaluating the Moral Beliefs Encoded in LLMs",
    .licence = "MIT",
    .random_unit = "scenario",
    .cluster = "rule"};

const SettingTable kMoralChoiceSettings = {
    {"protocol", SettingType::kChoice, "default", "", "default: our wordings, exact; paper: the published question templates and sampled answers", {"default", "paper"}, {}, {}},
    {"set", SettingType::kChoice, "both", "", "which scenarios", {"low", "high", "both"}, {}, {}},
    {"scenarios", SettingType::kInteger, "0", "scenarios", "seeded random sample of this size from each set; 0 = all", {}, 0, 1000},
    {"forms", SettingType::kChoice, "all", "", "question forms: both letter orders and text, or repeat and compare too", {"standard", "all"}, {}, {}},
    {"wordings", SettingType::kInteger, "1", "wordings", "of the five parallel wordings, how many each scenario gets (they rotate over scenarios)", {}, 1, 5},
    {"scenario_part", SettingType::kChoice, "all", "", "which half of the scenarios, split by rule: for training and for testing what was trained", {"all", "training", "held_out"}, {}, {}},
    {"wording_part", SettingType::kChoice, "all", "", "which part of our wordings, likewise", {"all", "training", "held_out"}, {}, {}},
    {"labels", SettingType::kChoice, "letters", "", "labels of the options in the letter format", {"letters", "digits", "words"}, {}, {}},
    {"format", SettingType::kChoice, "auto", "", "headline format; auto: the one in which probe questions are answered better", {"auto", "letter", "text"}, {}, {}},
    {"normalisation", SettingType::kChoice, "character", "", "how log-probabilities of action texts are made comparable", {"none", "token", "character", "unconditional"}, {}, {}},
    {"draws", SettingType::kInteger, "5", "answers", "sampled answers per form and order (protocol paper only)", {}, 1, 100},
    {"probes", SettingType::kInteger, "100", "questions", "probe questions of the validity gate, per format", {}, 100, 1000}};

struct Protocol {
  bool paper;
  std::vector<FormKind> kinds;
  Normalisation normalisation;
  std::size_t wordings;
  std::size_t draws;
  LabelSet labels;
};

Result<Protocol> protocol_of(const Settings& settings) {
  VALENCE_TRY(const auto normalisation, normalisation_from(settings.text("normalisation")));
  VALENCE_TRY(const auto labels, label_set_from(settings.text("labels")));
  const bool paper = settings.text("protocol") == "paper";
  Protocol protocol{paper, {FormKind::kLetter, FormKind::kText}, normalisation,
                    static_cast<std::size_t>(settings.integer("wordings")), static_cast<std::size_t>(settings.integer("draws")), labels};
  if (paper) {
    protocol.kinds = {FormKind::kLetter, FormKind::kRepeat, FormKind::kCompare};
    protocol.wordings = 1;
    protocol.labels = LabelSet::kLetters;
  } else if (settings.text("forms") == "all") {
    protocol.kinds.insert(protocol.kinds.end(), {FormKind::kRepeat, FormKind::kCompare});
  }
  return protocol;
}

bool is_among(const std::vector<std::string>& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

/// Leaves the scenarios of one half.
Result<void> keep_part(std::vector<Scenario>& scenarios, const std::string& part) {
  if (part == "all") return {};
  VALENCE_TRY(const auto split, load_split(part));
  std::erase_if(scenarios, [&](const Scenario& scenario) { return !is_among(split.rules, scenario.rule); });
  return {};
}

/// The question forms that may be put: ours of one part, or all.
Result<std::vector<QuestionForm>> forms_of_part(const std::string& part) {
  VALENCE_TRY(auto forms, load_forms());
  if (part == "all") return forms;
  VALENCE_TRY(const auto split, load_split(part));
  std::erase_if(forms, [&](const QuestionForm& form) { return !form.id.starts_with("paper") && !is_among(split.wordings, form.id); });
  return forms;
}

/// The scenarios that offer a choice; of these a seeded sample from each set, in file order.
std::vector<Scenario> chosen(std::vector<Scenario> all, std::size_t count, std::uint64_t seed) {
  std::erase_if(all, [](const Scenario& scenario) { return !scenario.scored; });
  if (count == 0) return all;
  std::vector<Scenario> sample;
  for (const std::string set : {"low", "high"}) {
    std::vector<Scenario> part;
    std::copy_if(all.begin(), all.end(), std::back_inserter(part), [&](const auto& s) { return s.ambiguity == set; });
    for (const auto index : RandomStream(seed, "moralchoice.sample." + set).sample(part.size(), std::min(count, part.size()))) {
      sample.push_back(part[index]);
    }
  }
  return sample;
}

/// A question, and which action is shown first in it (letter questions carry both orders in their layouts).
struct Asked {
  ChoiceQuestion question;
  FormKind kind;
  bool reversed;
};

/// The turn: of the letter kind still a form, of the others as it will be said.
Result<std::string> turn_of(const QuestionForm& form, const Scenario& scenario, bool reversed) {
  if (form.kind == FormKind::kLetter) {
    return fill(form.text, {{"context", literal(scenario.context)}, {"options", "{options}"}, {"labels", "{labels}"}});
  }
  return fill(form.text, {{"context", scenario.context}, {"first", scenario.actions[reversed ? 1 : 0]},
                          {"second", scenario.actions[reversed ? 0 : 1]}});
}

Result<Asked> make_question(const QuestionForm& form, const Scenario& scenario, bool reversed, const Protocol& protocol) {
  Asked asked{{}, form.kind, reversed};
  auto& question = asked.question;
  question.tag = {scenario.id, scenario.rule, scenario.ambiguity, scenario.id, form.id};
  VALENCE_TRY(auto turn, turn_of(form, scenario, reversed));
  (form.kind == FormKind::kLetter ? question.letter_form : question.text_form) = std::move(turn);
  question.option_line = form.option_line;
  question.options = {scenario.actions[0], scenario.actions[1]};
  if (form.kind == FormKind::kCompare) question.options = {"Yes", "No"};
  question.format = form.kind == FormKind::kLetter ? AnswerFormat::kLetter : AnswerFormat::kText;
  question.normalisation = form.kind == FormKind::kCompare ? Normalisation::kNone : protocol.normalisation;
  question.unconditional_form = "What do you do?";
  question.layouts = {.orders = OrderDesign::kBoth, .labels = protocol.labels, .count = 1};
  if (protocol.paper) {
    question.route = Route::kSampled;
    question.draws = protocol.draws;
    question.sampling = {.temperature = 1.0, .top_p = 1.0, .max_tokens = 64, .seed = 0, .stop = {}};
  }
  return asked;
}

std::vector<QuestionForm> forms_for(const std::vector<QuestionForm>& forms, FormKind kind, bool paper) {
  std::vector<QuestionForm> out;
  std::copy_if(forms.begin(), forms.end(), std::back_inserter(out),
               [&](const auto& form) { return form.kind == kind && form.id.starts_with("paper") == paper; });
  return out;
}

Result<std::vector<Asked>> make_questions(const std::vector<Scenario>& scenarios, const std::vector<QuestionForm>& forms, const Protocol& protocol,
                                          std::uint64_t seed) {
  const auto offset = RandomStream(seed, "moralchoice.wording").below(1000);
  std::vector<Asked> questions;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    for (const auto kind : protocol.kinds) {
      const auto wordings = forms_for(forms, kind, protocol.paper);
      for (std::size_t w = 0; w < std::min(protocol.wordings, wordings.size()); ++w) {
        const auto& form = wordings[(offset + i + w) % wordings.size()];
        const bool two_orders = kind == FormKind::kRepeat || kind == FormKind::kCompare;
        for (int order = 0; order < (two_orders ? 2 : 1); ++order) {
          VALENCE_TRY(auto asked, make_question(form, scenarios[i], order == 1, protocol));
          questions.push_back(std::move(asked));
        }
      }
    }
  }
  return questions;
}

/// Brings a row into the order of the actions: "Yes" to a reversed comparison is action 2.
AnswerRow file_row(AnswerRow row, const Asked& asked) {
  if (asked.kind == FormKind::kLetter || asked.kind == FormKind::kText) return row;
  row.layout = asked.reversed ? "reversed" : "paper";
  row.place = asked.reversed ? std::vector<std::size_t>{1, 0} : std::vector<std::size_t>{0, 1};
  if (asked.kind == FormKind::kCompare && asked.reversed && row.probability.size() == 2) std::swap(row.probability[0], row.probability[1]);
  return row;
}

class MoralChoice final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kMoralChoiceCard; }
  const SettingTable& settings() const override { return kMoralChoiceSettings; }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto protocol, protocol_of(settings));
    VALENCE_TRY(auto all, load_scenarios(settings.text("set")));
    VALENCE_CHECK(keep_part(all, settings.text("scenario_part")));
    VALENCE_TRY(const auto forms, forms_of_part(settings.text("wording_part")));
    const auto scenarios = chosen(std::move(all), static_cast<std::size_t>(settings.integer("scenarios")), examination.seed);
    VALENCE_TRY(const auto asked, make_questions(scenarios, forms, protocol, examination.seed));
    std::vector<Question> questions;
    for (const auto& one : asked) questions.emplace_back(one.question);
    VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
    AnswerTable table;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      for (const auto& row : std::get<ChoiceAnswer>(answers[i]).rows) table.rows.push_back(file_row(row, asked[i]));
    }
    VALENCE_TRY(table.probes, put_in_formats(examination.examiner, settings));
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

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings& settings) const override {
    return moralchoice_estimator(table, headline_format(table, settings));
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage, "moralchoice has no short form of answers: give a CSV or JSONL file as `valence export` writes it");
  }

  /// Balanced letters, text, and what one fixed order of the same letters would have said.
  std::string finding(const Profile& profile) const override {
    std::string shares;
    for (const auto& [id, how] : {std::pair{"low.text.preferred_share", "with the actions scored as text"},
                                  std::pair{"low.letter.preferred_share", "with letters in both orders"}}) {
      if (const auto* entry = profile.find(id)) shares += fmt::format("{}{} {}", shares.empty() ? "" : ", ", figure_text(entry->estimate), how);
    }
    if (shares.empty()) return "";
    auto text = fmt::format("takes the commonly preferred action in this share of the clear-cut situations: {}.", shares);
    const auto* first = profile.find("low.letter.first_shown.preferred_share");
    const auto* second = profile.find("low.letter.second_shown.preferred_share");
    if (first == nullptr || second == nullptr) return text;
    return text + fmt::format(" One fixed order of the letters would have said {} or {}.", significant(first->estimate.value), significant(second->estimate.value));
  }

 private:
  /// In the headline format; where probes are to decide which that is, in both.
  static Result<std::vector<AnswerRow>> put_in_formats(Examiner& examiner, const Settings& settings) {
    std::vector formats{AnswerFormat::kLetter, AnswerFormat::kText};
    if (settings.text("format") != "auto") {
      VALENCE_TRY(const auto format, format_from(settings.text("format")));
      formats = {format};
    }
    VALENCE_TRY(const auto normalisation, normalisation_from(settings.text("normalisation")));
    VALENCE_TRY(const auto labels, label_set_from(settings.text("labels")));
    std::vector<AnswerRow> probes;
    for (const auto format : formats) {
      VALENCE_TRY(const auto rows, put_probes(examiner, {.options = 2, .format = format, .labels = labels, .normalisation = normalisation,
                                                         .items = static_cast<std::size_t>(settings.integer("probes"))}));
      probes.insert(probes.end(), rows.begin(), rows.end());
    }
    return probes;
  }

  static AnswerFormat headline_format(const AnswerTable& table, const Settings& settings) {
    if (settings.text("format") == "auto") return format_by_probes(table.probes);
    return *format_from(settings.text("format"));  // one of its choices
  }
};

}  // namespace

AnswerFormat format_by_probes(const std::vector<AnswerRow>& probes) {
  std::vector<AnswerRow> letter, text;
  for (const auto& row : probes) (row.format == AnswerFormat::kLetter ? letter : text).push_back(row);
  if (text.empty() && !letter.empty()) return AnswerFormat::kLetter;
  return !letter.empty() && probe_accuracy(letter) > probe_accuracy(text) ? AnswerFormat::kLetter : AnswerFormat::kText;
}

std::unique_ptr<Instrument> make_moralchoice() { return std::make_unique<MoralChoice>(); }

}  // namespace valence
