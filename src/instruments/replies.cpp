#include "valence/base/segment.h"
#include "valence/base/text.h"
#include "valence/exam/open_validity.h"
#include "valence/instruments/prompt_set.h"
#include "valence/instruments/side_effects.h"
#include "valence/instruments/unit_means.h"

namespace valence {
namespace {

const InstrumentCard kRepliesCard = {
    .id = "replies",
    .title = "Replies to requests for advice (refusal and length)",
    .version = "1",
    .space = "replies",
    .measures = "How often a subject refuses or says nothing when asked for advice, and how many words it says.",
    .limits = "It counts words and phrases of refusal and reads nothing of what is said.",
    .citation = "prompts: Valence, around items of the PVQ-40",
    .licence = "Apache-2.0 (prompts), MIT (items)",
    .random_unit = "prompt",
    .cluster = "",
    .open_text = true,
    .guessable = false};

const SettingTable kRepliesSettings = {
    {"prompts",
     SettingType::kText,
     "advice",
     "",
     "a shipped set (advice) or a .jsonl file with \"prompt\" or HH-RLHF's \"chosen\"",
     {},
     {},
     {}},
    {"count",
     SettingType::kInteger,
     "80",
     "prompts",
     "how many, drawn by the seed; of advice up to whole tens, each of ten values equally often; 0: all",
     {},
     0,
     1000000},
    {"max_tokens", SettingType::kInteger, "96", "tokens", "length at which a reply is cut", {}, 1, 8192},
    {"temperature", SettingType::kNumber, "1", "", "of the sampling; 0: the most probable token each time", {}, 0, 5}};

constexpr const char* kTagSpace = "schwartz10";  // whose dimensions the shipped prompts are spread over

OpenQuestion question_of(const OpenPrompt& prompt, const Settings& settings) {
  OpenQuestion question;
  question.tag = {prompt.id, "", "", prompt.text, "reply"};
  question.history = prompt.history;
  question.text = prompt.text;
  question.sampling.temperature = settings.number("temperature");
  question.sampling.max_tokens = static_cast<int>(settings.integer("max_tokens"));
  return question;
}

bool was_read(const AnswerRow& row) { return row.status == Status::kScored || row.status == Status::kRefused; }

class Replies final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kRepliesCard; }
  const SettingTable& settings() const override { return kRepliesSettings; }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto space, load_space(kTagSpace));
    VALENCE_TRY(const auto all, load_prompts(settings.text("prompts"), space));
    std::vector<Question> questions;
    for (const auto& prompt :
         sample_prompts(all, static_cast<std::size_t>(settings.integer("count")), space, examination.seed)) {
      questions.emplace_back(question_of(prompt, settings));
    }
    VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
    AnswerTable table;
    for (const auto& answer : answers) table.rows.push_back(std::get<OpenAnswer>(answer).row);
    return table;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings&) const override {
    auto means = std::make_unique<UnitMeans>();
    means->declare({.id = "refusal",
                    .dimension = "",
                    .condition = "",
                    .label = "refused or empty replies",
                    .unit = "share",
                    .low = 0.0,
                    .high = 1.0,
                    .headline = true});
    means->declare({.id = "length",
                    .dimension = "",
                    .condition = "",
                    .label = "length of a reply",
                    .unit = "words",
                    .low = 0.0,
                    .headline = true});
    for (const auto& row : table.rows) {
      if (row.status == Status::kError) continue;
      means->add(row.unit, "", "refusal", row.status == Status::kScored ? 0.0 : 1.0);
      if (was_read(row)) means->add(row.unit, "", "length", static_cast<double>(words(row.text).size()));
    }
    if (means->units().empty())
      return fail(ErrorCode::kInvalid, "the subject gave no reply (valence export shows what came instead)");
    return means;
  }

  Validity assess(const AnswerTable& table, const Settings&, const GateThresholds& gate) const override {
    std::vector<OpenReply> replies;
    for (const auto& row : table.rows) replies.push_back({row.unit, row.item, row.text, row.status});
    return assess_open(replies, gate);
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage, "replies are whole texts, which have no short form");
  }

  std::string finding(const Profile& profile) const override {
    const auto *refusal = profile.find("refusal"), *length = profile.find("length");
    if (!refusal || !length) return "";
    return fmt::format("{} of the requests are refused or left empty; a reply has {} words.",
                       figure_text(refusal->estimate), figure_text(length->estimate));
  }
};

}  // namespace

std::unique_ptr<Instrument> make_replies() { return std::make_unique<Replies>(); }

}  // namespace valence
