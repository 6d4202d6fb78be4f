#include "valence/instruments/allocations.h"

#include <algorithm>

#include "attained.h"
#include "parts.h"
#include "svo_wording.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/exam/question.h"
#include "valence/instruments/answer_key.h"

namespace valence {
namespace {

const SettingTable kAllocationsSettings = {
    wordings_setting(),
    wording_part_setting(),
    {"layouts",
     SettingType::kChoice,
     "shuffled",
     "",
     "orders of the options: shuffled (every option stands once at every place) or paper (as in the file)",
     {"shuffled", "paper"},
     {},
     {}},
    {"labels", SettingType::kChoice, "letters", "", "labels of the options", {"letters", "digits", "words"}, {}, {}},
    {"format",
     SettingType::kChoice,
     "letter",
     "",
     "how options are offered: a label to name, or their text to continue with",
     {"letter", "text"},
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

const InstrumentCard kAllocationsCard = {
    .id = "allocations",
    .title = "Allocations among three",
    .version = "2",
    .space = "allocations",
    .measures =
        "Which of three divisions of tokens between itself and another a subject takes, each told as a sentence: what "
        "they give in each direction of the self–other plane.",
    .limits =
        "Twelve hypothetical choices with numbers of our own, not validated on people; it is a second task beside the "
        "slider, not a second measure of social value orientation.",
    .citation = "Valence; the form is that of decomposed games (Messick & McClintock 1968; Van Lange et al. 1997)",
    .licence = "Apache-2.0",
    .random_unit = "administration",
    .cluster = ""};

struct AllocationWording {
  std::string id, letter, text, sentence, said, letter_prefix, text_prefix;
};

Result<AllocationWording> read_allocation_wording(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "letter", "text", "sentence", "said", "letter_prefix", "text_prefix"}));
  AllocationWording wording;
  VALENCE_TRY(wording.id, node.string_at("id"));
  VALENCE_TRY(wording.letter, node.string_at("letter"));
  VALENCE_TRY(wording.text, node.string_at("text"));
  VALENCE_TRY(wording.sentence, node.string_at("sentence"));
  VALENCE_TRY(wording.said, node.string_at("said"));
  VALENCE_TRY(wording.letter_prefix, node.string_at("letter_prefix"));
  VALENCE_TRY(wording.text_prefix, node.string_at("text_prefix"));
  return wording;
}

Result<std::vector<AllocationWording>> allocation_wordings(const Settings& settings) {
  VALENCE_TRY(const auto root, read_wording_file("allocations"));
  VALENCE_TRY(const auto nodes, wording_list(root));
  std::vector<AllocationWording> all;
  for (const auto& node : nodes) {
    VALENCE_TRY(auto wording, read_allocation_wording(node));
    all.push_back(std::move(wording));
  }
  auto wordings = wordings_in(std::move(all), settings.text("wording_part"));
  const auto wanted = static_cast<std::size_t>(settings.integer("wordings"));
  if (wanted > 0 && wanted < wordings.size()) wordings.resize(wanted);
  return wordings;
}

Result<std::vector<std::string>> told(std::string_view pattern, const AllocationTask& task) {
  std::vector<std::string> texts;
  for (const auto& coins : task.options) {
    VALENCE_TRY(auto text, fill(pattern, {{"self", fmt::format("{:.0f}", coins.self)},
                                          {"other", fmt::format("{:.0f}", coins.other)}}));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<ChoiceQuestion> allocation_question(const AllocationTask& task, const AllocationWording& wording,
                                           const Settings& settings) {
  ChoiceQuestion question;
  question.tag = {wording.id, "", "", task.id, wording.id};
  VALENCE_TRY(question.format, format_from(settings.text("format")));
  VALENCE_TRY(question.normalisation, normalisation_from(settings.text("normalisation")));
  VALENCE_TRY(question.layouts.labels, label_set_from(settings.text("labels")));
  question.layouts.orders = settings.text("layouts") == "paper" ? OrderDesign::kPaper : OrderDesign::kRandom;
  question.layouts.count = task.options.size();
  const bool letters = question.format == AnswerFormat::kLetter;
  VALENCE_TRY(question.listed, told(wording.sentence, task));
  VALENCE_TRY(question.options, told(letters ? wording.sentence : wording.said, task));
  question.letter_form = wording.letter;
  question.text_form = wording.text;
  question.answer_prefix = letters ? wording.letter_prefix : wording.text_prefix;
  return question;
}

class Allocations final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kAllocationsCard; }
  const SettingTable& settings() const override { return kAllocationsSettings; }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto tasks, load_allocation_tasks());
    VALENCE_TRY(const auto wordings, allocation_wordings(settings));
    std::vector<Question> questions;
    for (const auto& wording : wordings) {
      for (const auto& task : tasks) {
        VALENCE_TRY(auto question, allocation_question(task, wording, settings));
        questions.emplace_back(std::move(question));
      }
    }
    VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
    AnswerTable table;
    table.instrument = kAllocationsCard.id;
    add_choices(table, answers);
    return table;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings&) const override {
    VALENCE_TRY(const auto tasks, load_allocation_tasks());
    AllocationItems items;
    for (const auto& task : tasks) items[task.id] = task.options;
    return attained_estimator(table, items);
  }

  Result<AnswerKey> answer_key(const Target& target, const Settings&) const override {
    VALENCE_TRY(const auto tasks, load_allocation_tasks());
    VALENCE_TRY(const auto directions, directions_of(target, kAllocationsCard.id));
    VALENCE_TRY(const auto direction, only_direction(target));
    AnswerKey key{
        fmt::format("the division that is worth most in the {} direction; equal ones share", direction), false, {}};
    for (const auto& task : tasks)
      key.answers[{"", task.id}] = best_allocations(task.options, directions.front().second);
    return key;
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage,
                "allocations has no short form of answers: give a CSV or JSONL file as `valence export` writes it");
  }
};

}  // namespace

Result<std::vector<AllocationTask>> load_allocation_tasks() {
  constexpr std::size_t kOptions = 3;  // the wordings tell three
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto table, read_csv(data / "instruments" / "allocations" / "items.csv"));
  VALENCE_TRY(const auto item, table.column("item"));
  VALENCE_TRY(const auto option, table.column("option"));
  VALENCE_TRY(const auto self, table.column("self"));
  VALENCE_TRY(const auto other, table.column("other"));
  std::vector<AllocationTask> tasks;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto& cells = table.rows[row];
    const auto number = std::to_string(row % kOptions + 1);
    if (row % kOptions == 0) tasks.push_back({cells[item], {}});
    if (cells[item] != tasks.back().id || cells[option] != number)
      return fail(ErrorCode::kUsage, "{}: expected option {} of item {}, got option {} of item {}", table.where(row),
                  number, tasks.back().id, cells[option], cells[item]);
    Allocation coins{};
    VALENCE_TRY(coins.self, parse_number(cells[self], table.where(row)));
    VALENCE_TRY(coins.other, parse_number(cells[other], table.where(row)));
    tasks.back().options.push_back(coins);
  }
  if (tasks.empty() || tasks.back().options.size() != kOptions)
    return fail(ErrorCode::kWrongCount, "{}: every item needs {} options", table.file, kOptions);
  return tasks;
}

std::unique_ptr<Instrument> make_allocations() { return std::make_unique<Allocations>(); }

}  // namespace valence
