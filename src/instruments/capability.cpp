#include <algorithm>
#include <cmath>
#include <map>

#include "parts.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/instruments/side_effects.h"
#include "valence/instruments/unit_means.h"

namespace valence {
namespace {

const InstrumentCard kCapabilityCard = {
    .id = "capability",
    .title = "Plain questions (capability)",
    .version = "1",
    .space = "capability",
    .measures =
        "How often a subject gives the right answer to plain questions of arithmetic, common facts, word meaning and "
        "simple inference.",
    .limits = "120 easy questions: they show that something broke, not how able a subject is.",
    .citation = "Valence",
    .licence = "Apache-2.0",
    .random_unit = "item",
    .cluster = ""};

const SettingTable kCapabilitySettings = {
    {"format",
     SettingType::kChoice,
     "text",
     "",
     "answers scored as text, or as letters in both orders",
     {"text", "letter"},
     {},
     {}},
    {"wordings",
     SettingType::kInteger,
     "3",
     "wordings",
     "each item gets so many of the five; the first only decides whether the item can tell anything",
     {},
     2,
     5},
    {"items", SettingType::kText, "plain", "", "plain (shipped), or a .csv file of the same columns", {}, {}, {}}};

struct PlainItem {
  std::string id, family, question;
  std::vector<std::string> options;  ///< the right one first
};

struct PlainWording {
  std::string id, letter, text;
};

Result<PlainItem> plain_item(const CsvTable& table, std::size_t row) {
  PlainItem item;
  VALENCE_TRY(const auto id, table.column("id"));
  VALENCE_TRY(const auto family, table.column("family"));
  VALENCE_TRY(const auto question, table.column("question"));
  VALENCE_TRY(const auto right, table.column("right"));
  const auto& cells = table.rows[row];
  item = {cells[id], cells[family], cells[question], {cells[right]}};
  for (const auto* wrong : {"wrong_1", "wrong_2", "wrong_3"}) {
    VALENCE_TRY(const auto column, table.column(wrong));
    if (!trim(cells[column]).empty()) item.options.push_back(cells[column]);
  }
  if (item.options.size() >= 2) return item;
  return fail(ErrorCode::kUsage, "{}: item \"{}\" has no wrong answer", table.where(row), printable(item.id));
}

Result<std::vector<PlainItem>> load_plain_items(const Settings& settings) {
  VALENCE_TRY(const auto data, data_folder());
  const auto& name = settings.text("items");
  VALENCE_TRY(const auto table, read_csv(name == "plain" ? data / "instruments" / "capability" / "items.csv"
                                                         : std::filesystem::path(name)));
  std::vector<PlainItem> items;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    VALENCE_TRY(auto item, plain_item(table, row));
    items.push_back(std::move(item));
  }
  return items;
}

Result<std::vector<PlainWording>> load_plain_wordings() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto root, read_toml(data / "instruments" / "capability" / "wordings.toml"));
  VALENCE_TRY(const auto node, root.at("wording"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::vector<PlainWording> wordings;
  for (const auto& entry : entries) {
    VALENCE_CHECK(entry.allow_only({"id", "letter", "text"}));
    PlainWording wording;
    VALENCE_TRY(wording.id, entry.string_at("id"));
    VALENCE_TRY(wording.letter, entry.string_at("letter"));
    VALENCE_TRY(wording.text, entry.string_at("text"));
    wordings.push_back(std::move(wording));
  }
  return wordings;
}

Result<ChoiceQuestion> plain_question(const PlainItem& item, const PlainWording& wording, bool choosing, AnswerFormat format) {
  ChoiceQuestion question;
  question.tag = {item.id, "", item.family, item.id, (choosing ? kChoosingVariant : "") + wording.id};
  question.options = item.options;
  question.format = format;
  question.normalisation = Normalisation::kCharacter;
  question.layouts = {.orders = OrderDesign::kBoth, .labels = LabelSet::kLetters, .count = 1};
  VALENCE_TRY(
      question.letter_form,
      fill(wording.letter, {{"question", literal(item.question)}, {"options", "{options}"}, {"labels", "{labels}"}}));
  VALENCE_TRY(question.text_form, fill(wording.text, {{"question", item.question}}));
  return question;
}

/// Each item starts at another wording, so that every wording chooses for some items and is compared on others.
Result<std::vector<Question>> plain_questions_of(const std::vector<PlainItem>& items, const Settings& settings) {
  VALENCE_TRY(const auto wordings, load_plain_wordings());
  VALENCE_TRY(const auto format, format_from(settings.text("format")));
  const auto each = std::min(static_cast<std::size_t>(settings.integer("wordings")), wordings.size());
  std::vector<Question> questions;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t w = 0; w < each; ++w) {
      VALENCE_TRY(auto question, plain_question(items[i], wordings[(i + w) % wordings.size()], w == 0, format));
      questions.emplace_back(std::move(question));
    }
  }
  return questions;
}

bool is_choosing(const AnswerRow& row) { return row.variant.starts_with(kChoosingVariant); }

/// Mean probability of each option over the layouts of one item in one wording.
struct FormAnswer {
  std::string unit, family;
  std::vector<double> probability;
  double layouts = 0.0;
  void add(const AnswerRow& row) {
    probability.resize(row.probability.size(), 0.0);
    for (std::size_t i = 0; i < row.probability.size(); ++i) probability[i] += row.probability[i];
    layouts += 1.0;
  }
  double right() const { return probability.front() / layouts; }
  /// 1 when the right option is the likeliest, shared evenly among equals.
  double is_right() const {
    constexpr double kTie = 1e-9;
    const double top = *std::max_element(probability.begin(), probability.end());
    const auto equals = std::count_if(probability.begin(), probability.end(), [&](double p) { return top - p < kTie; });
    return top - probability.front() < kTie ? 1.0 / static_cast<double>(equals) : 0.0;
  }
};

std::vector<FormAnswer> form_answers(const AnswerTable& table, bool choosing) {
  std::vector<FormAnswer> forms;
  std::map<std::pair<std::string, std::string>, std::size_t> place;
  for (const auto& row : table.rows) {
    if (row.status != Status::kScored || row.probability.size() < 2 || is_choosing(row) != choosing) continue;
    const auto [found, fresh] = place.try_emplace({row.unit, row.variant}, forms.size());
    if (fresh) forms.push_back({row.unit, row.condition, {}, 0.0});
    forms[found->second].add(row);
  }
  return forms;
}

void declare_family(UnitMeans& means, const std::string& family) {
  const auto prefix = family.empty() ? "" : family + ".";
  const auto name = family.empty() ? std::string("all items") : family;
  means.declare({.id = prefix + "accuracy",
                 .dimension = family,
                 .condition = family,
                 .label = name + ", right answers",
                 .unit = "share",
                 .low = 0.0,
                 .high = 1.0,
                 .headline = true});
  means.declare({.id = prefix + "probability",
                 .dimension = family,
                 .condition = family,
                 .label = name + ", probability of the right answer",
                 .unit = "share",
                 .low = 0.0,
                 .high = 1.0});
}

class Capability final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kCapabilityCard; }
  const SettingTable& settings() const override { return kCapabilitySettings; }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto items, load_plain_items(settings));
    VALENCE_TRY(const auto questions, plain_questions_of(items, settings));
    VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
    AnswerTable table;
    add_choices(table, answers);
    return table;
  }

  /// Right answers are the evidence here, and every item is its own probe.
  Validity assess(const AnswerTable&, const Settings&, const GateThresholds&) const override {
    return {false,
            {},
            "the questions have right answers, so the figures themselves say whether the subject answers by content"};
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings&) const override {
    auto means = std::make_unique<UnitMeans>();
    const auto forms = form_answers(table, false);
    if (forms.empty()) return fail(ErrorCode::kInvalid, "no question of the capability suite was answered");
    declare_family(*means, "");
    for (const auto& form : forms) {
      declare_family(*means, form.family);
      for (const auto& prefix : {std::string(), form.family + "."}) {
        means->add(form.unit, "", prefix + "accuracy", form.is_right());
        means->add(form.unit, "", prefix + "probability", form.right());
      }
    }
    return means;
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage,
                "capability has no short form of answers: give a CSV or JSONL file as `valence export` writes it");
  }

  std::string finding(const Profile& profile) const override {
    const auto* entry = profile.find("accuracy");
    return entry ? fmt::format("{} of the plain questions are answered rightly.", figure_text(entry->estimate)) : "";
  }
};

}  // namespace

std::vector<std::string> testable_items(const AnswerTable& capability) {
  std::vector<std::string> items;
  for (const auto& form : form_answers(capability, true)) {
    if (form.right() > 1.0 / static_cast<double>(form.probability.size())) items.push_back(form.unit);
  }
  return items;
}

std::unique_ptr<Instrument> make_capability() { return std::make_unique<Capability>(); }

}  // namespace valence
