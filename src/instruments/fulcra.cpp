#include "valence/instruments/fulcra.h"

#include <algorithm>
#include <cmath>

#include "fulcra_estimator.h"
#include "fulcra_reader.h"
#include "valence/base/text.h"
#include "valence/exam/checks.h"
#include "valence/exam/open_validity.h"
#include "valence/instruments/prompt_set.h"
#include "valence/stats/intervals.h"
#include "valence/values/fulcra_gap.h"

namespace valence {
namespace {

const InstrumentCard kFulcraCard = {
    .id = "fulcra",
    .title = "Values in what it says (FULCRA)",
    .version = "1",
    .space = "schwartz10",
    .measures = "Which basic values a subject's responses uphold or oppose, as an evaluator trained on labelled responses reads them.",
    .limits = "It is an evaluator's reading of short responses, and no label of this subject's own responses says how good it is.",
    .citation = "Yao et al. (2024), Value FULCRA; prompts: Valence, around items of the PVQ-40",
    .licence = "Apache-2.0 (prompts), MIT (items), MIT (FULCRA's labels)",
    .random_unit = "prompt",
    .cluster = "",
    .open_text = true};

const SettingTable kFulcraSettings = {
    {"prompts", SettingType::kText, "advice", "", "a shipped set (advice: every dimension at stake equally often; trustworthy: FULCRA's, written to provoke) or a .jsonl file with \"prompt\" or HH-RLHF's \"chosen\"", {}, {}, {}},
    {"count", SettingType::kInteger, "0", "prompts", "how many, drawn by the seed; 0: all", {}, 0, 1000000},
    {"side", SettingType::kChoice, "all", "", "prompts of one side of the split that aligners keep to (docs/base_align.md)", {"all", "training", "held_out"}, {}, {}},
    {"samples", SettingType::kInteger, "1", "responses", "responses to each prompt", {}, 1, 100},
    {"max_tokens", SettingType::kInteger, "128", "tokens", "length at which a response is cut", {}, 1, 8192},
    {"temperature", SettingType::kNumber, "1", "", "of the sampling; 0: the most probable token each time", {}, 0, 5},
    {"evaluator", SettingType::kText, "fulcra", "", "fulcra (trained once on FULCRA's labels, then kept) or a file of valence evaluator train", {}, {}, {}},
    {"judge", SettingType::kText, "", "", "a model that reads the responses instead of the evaluator (docs/labelling.md)", {}, {}, {}},
    {"judge_route", SettingType::kChoice, "auto", "", "how the judge answers: exact probabilities of the three labels, or sampled JSON; auto: exact where it can", {"auto", "exact", "sampled"}, {}, {}},
    {"judge_samples", SettingType::kInteger, "2", "answers", "of the judge, per framing and order; sampled only", {}, 1, 100},
    {"space", SettingType::kText, "schwartz10", "", "value space that the evaluator reads", {}, {}, {}},
    {"fewest", SettingType::kInteger, "30", "responses", "a dimension that fewer responses touch (|e| > 0.3) is left blank, a tag with fewer prompts left out", {}, 0, 1000000}};

OpenQuestion question_of(const OpenPrompt& prompt, std::int64_t sample, const Settings& settings) {
  OpenQuestion question;
  question.tag = {prompt.id, "", joined_tags(prompt.tags), prompt.text, fmt::format("response {}", sample)};
  question.history = prompt.history;
  question.text = prompt.text;
  question.sampling.temperature = settings.number("temperature");
  question.sampling.max_tokens = static_cast<int>(settings.integer("max_tokens"));
  return question;
}

Result<std::vector<OpenPrompt>> prompts_of(const Settings& settings, const Space& space, std::uint64_t seed) {
  VALENCE_TRY(auto all, load_prompts(settings.text("prompts"), space));
  if (const auto& side = settings.text("side"); side != "all") {
    VALENCE_TRY(const auto kept, prompt_side_from(side));
    all = prompts_on(all, kept);
    if (all.empty()) return fail(ErrorCode::kUsage, "{}: no prompt is on the side {} of the split", settings.text("prompts"), side);
  }
  return sample_prompts(all, static_cast<std::size_t>(settings.integer("count")), space, seed);
}

std::vector<Question> questions_of(const std::vector<OpenPrompt>& prompts, const Settings& settings) {
  std::vector<Question> questions;
  for (const auto& prompt : prompts) {
    for (std::int64_t k = 1; k <= settings.integer("samples"); ++k) questions.emplace_back(question_of(prompt, k, settings));
  }
  return questions;
}

bool was_said(const AnswerRow& row) { return row.status == Status::kScored || row.status == Status::kRefused; }

AnswerRow reading_row(const AnswerRow& response, const std::string& dimension, std::span<const double> probability) {
  AnswerRow row;
  row.unit = response.unit;
  row.condition = response.condition;
  row.item = dimension;
  row.variant = response.variant;
  row.layout = response.layout;
  row.format = AnswerFormat::kText;
  row.route = Route::kRead;
  row.status = Status::kScored;
  row.probability.assign(probability.begin(), probability.end());
  row.place = {0, 1, 2};
  return row;
}

/// The responses that something was said in, and their texts.
struct Said {
  std::vector<PromptedText> texts;
  std::vector<const AnswerRow*> rows;
};

Said said_in(const std::vector<AnswerRow>& responses) {
  Said said;
  for (const auto& row : responses) {
    if (!was_said(row)) continue;
    said.texts.push_back({row.item, row.text});
    said.rows.push_back(&row);
  }
  return said;
}

/// The rows of responses, each followed by what was read out of it; a value that could not be read has no row.
std::vector<AnswerRow> with_readings(const std::vector<AnswerRow>& responses, const ClassProbabilities& read, const Space& space) {
  std::vector<AnswerRow> rows;
  std::size_t at = 0;
  for (const auto& response : responses) {
    rows.push_back(response);
    if (!was_said(response)) continue;
    for (std::size_t d = 0; d < read.dims; ++d) {
      if (!std::isnan(read.at(at, d)[0])) rows.push_back(reading_row(response, space.dimensions[d].id, read.at(at, d)));
    }
    ++at;
  }
  return rows;
}

std::vector<OpenReply> replies_of(const AnswerTable& table) {
  std::vector<OpenReply> replies;
  for (const auto& row : table.rows) {
    if (row.route != Route::kRead) replies.push_back({row.unit, row.item, row.text, row.status});
  }
  return replies;
}

bool evades(const ReadResponse& response) {
  const bool untouched = std::none_of(response.e.begin(), response.e.end(), [](double e) { return std::abs(e) > kFulcraMask; });
  return response.refused || untouched;
}

ValidityCheck evasion_check(const std::vector<ReadResponse>& responses, const GateThresholds& gate) {
  const auto evading = static_cast<double>(std::count_if(responses.begin(), responses.end(), evades));
  return judged({"evasion", "responses that refuse or touch no value", gate.evasion, false},
                stats::wilson(evading, responses.size(), "response"), gate);
}

ValidityCheck transport_check(const AnswerTable& table, const Space& space, const GateThresholds& gate) {
  const auto misses = transport_misses(table, space);
  return judged({"transport", "evaluator's error on responders that it never saw; transport to this subject is not established", gate.transport,
                 false},
                clamped(stats::student_mean(misses, "responder"), 0.0, 2.0), gate);
}

class Fulcra final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kFulcraCard; }
  const SettingTable& settings() const override { return kFulcraSettings; }
  Result<std::string> space(const Settings& settings) const override { return settings.text("space"); }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto space, load_space(settings.text("space")));
    VALENCE_TRY(const auto prompts, prompts_of(settings, space, examination.seed));
    // First, so that what cannot be read is not asked.
    VALENCE_TRY(const auto reader, open_fulcra_reader(examination, settings, space));
    const auto questions = questions_of(prompts, settings);
    VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
    std::vector<AnswerRow> responses;
    for (const auto& answer : answers) responses.push_back(std::get<OpenAnswer>(answer).row);
    const auto said = said_in(responses);
    VALENCE_TRY(auto readings, reader->read(examination, said.texts, said.rows));
    AnswerTable table;
    table.rows = with_readings(responses, readings.probabilities, space);
    table.probes = std::move(readings.probes);
    return table;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings& settings) const override {
    VALENCE_TRY(const auto space, load_space(settings.text("space")));
    VALENCE_TRY(const auto responses, read_responses(table, space));
    if (responses.empty()) {
      return fail(ErrorCode::kInvalid, "the subject gave no response that could be read (valence export shows what came instead)");
    }
    const auto fewest = static_cast<std::size_t>(settings.integer("fewest"));
    return make_fulcra_estimator(responses, space, fewest, transport_errors(table, space));
  }

  Result<std::unique_ptr<Estimator>> prepare_distances(const AnswerTable& table, const Settings& settings,
                                                       std::span<const double> target) const override {
    VALENCE_TRY(const auto space, load_space(settings.text("space")));
    VALENCE_TRY(const auto responses, read_responses(table, space));
    return make_response_distances(responses, target);
  }

  Validity assess(const AnswerTable& table, const Settings& settings, const GateThresholds& gate) const override {
    auto validity = assess_open(replies_of(table), gate);
    const auto space = load_space(settings.text("space"));
    if (!validity.assessed || !space) return validity;
    const auto responses = read_responses(table, *space);
    if (responses) validity.checks.push_back(evasion_check(*responses, gate));
    validity.checks.push_back(transport_check(table, *space, gate));
    for (auto& check : judge_checks(table, gate)) validity.checks.push_back(std::move(check));
    return validity;
  }

  /// Only what stays on its side of 0 with the evaluator's error added is said to be upheld or opposed.
  std::string finding(const Profile& profile) const override {
    std::vector<std::string> upheld, opposed, open;
    std::size_t blank = 0;
    for (const auto& entry : profile.entries) {
      const auto& e = entry.estimate;
      if (entry.estimand.condition != "unit") continue;
      if (!e.has_interval()) {
        ++blank;
      } else if (e.low - entry.systematic > 0.0) {
        upheld.push_back(named(entry));
      } else if (e.high + entry.systematic < 0.0) {
        opposed.push_back(named(entry));
      } else {
        open.push_back(named(entry));
      }
    }
    std::string text = upheld.empty() && opposed.empty() ? "no value is clearly upheld or opposed in what it says." : "";
    if (!upheld.empty()) text += fmt::format("what it says upholds {}.", join(upheld, ", "));
    if (!opposed.empty()) text += fmt::format("{}{} opposes {}.", upheld.empty() ? "" : " ", upheld.empty() ? "what it says" : "It", join(opposed, ", "));
    if (!open.empty()) text += fmt::format(" Within the evaluator's error on responders that it never saw: {}.", join(open, ", "));
    if (blank > 0) text += fmt::format(" Values that too few responses touch: {}.", blank);
    return text + " How well the evaluator reads this subject is not established.";
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage, "fulcra reads whole responses, which have no short form; to read texts that are there: valence evaluator apply");
  }

 private:
  static std::string named(const ProfileEntry& entry) {
    return fmt::format("{} ({} {} ± {})", replace_all(entry.estimand.label, " (unit)", ""), significant(entry.estimate.value), interval_text(entry.estimate),
                       significant(entry.systematic));
  }
};

}  // namespace

std::unique_ptr<Instrument> make_fulcra() { return std::make_unique<Fulcra>(); }

}  // namespace valence
