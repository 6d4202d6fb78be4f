#include "fulcra_reader.h"

#include <cmath>

#include "fulcra_estimator.h"
#include "valence/evaluate/judge.h"
#include "valence/evaluate/shipped_evaluator.h"
#include "valence/exam/checks.h"
#include "valence/model/open.h"
#include "valence/stats/intervals.h"

namespace valence {
namespace {

// ---- a trained evaluator

AnswerRow transport_row(const UnseenResponder& responder, const std::string& dimension, std::string variant,
                        std::span<const double> probability) {
  AnswerRow row;
  row.unit = responder.responder;
  row.condition = kTransportCondition;
  row.item = dimension;
  row.variant = std::move(variant);
  row.format = AnswerFormat::kText;
  row.route = Route::kRead;
  row.probability.assign(probability.begin(), probability.end());
  row.place = {0, 1, 2};
  row.draws = responder.rows;
  return row;
}

std::vector<AnswerRow> transport_rows(const Evaluator& evaluator) {
  std::vector<AnswerRow> rows;
  for (const auto& responder : evaluator.provenance().unseen) {
    for (std::size_t d = 0; d < evaluator.dimensions().size(); ++d) {
      const auto part = [&](const std::vector<double>& all) {
        return std::span(all).subspan(d * kLabelClasses, kLabelClasses);
      };
      rows.push_back(transport_row(responder, evaluator.dimensions()[d], "read", part(responder.read)));
      rows.push_back(transport_row(responder, evaluator.dimensions()[d], "labelled", part(responder.labelled)));
    }
  }
  return rows;
}

class EvaluatorReader final : public FulcraReader {
 public:
  explicit EvaluatorReader(Evaluator evaluator) : evaluator_(std::move(evaluator)) {}

  Result<FulcraReadings> read(Examination&, std::span<const PromptedText> texts,
                              std::span<const AnswerRow* const>) const override {
    FulcraReadings readings;
    VALENCE_TRY(readings.probabilities, evaluator_.evaluate(texts));
    readings.probes = transport_rows(evaluator_);
    return readings;
  }

 private:
  Evaluator evaluator_;
};

// ---- a judge

/// Of one response: what share of the judge's answers could be read, and where its probability went by place. The pull
/// is kept as the shares of the label shown first, in the middle and last that a judge with nothing but this pull would
/// have.
AnswerRow judge_row(const AnswerRow& response, double pull, double read_share) {
  AnswerRow row;
  row.unit = response.unit;
  row.condition = kJudgeCondition;
  row.item = "place";
  row.variant = response.variant;
  row.format = AnswerFormat::kText;
  row.route = Route::kRead;
  row.captured_mass = read_share;
  row.status = std::isnan(pull) ? Status::kUnparseable : Status::kScored;
  if (std::isnan(pull)) return row;
  row.probability = {0.5 + pull, 0.0, 0.5 - pull};
  row.place = {0, 1, 2};
  return row;
}

class JudgeReader final : public FulcraReader {
 public:
  JudgeReader(Subject judge, JudgeProtocol protocol, JudgeOptions options)
      : judge_(std::move(judge)), protocol_(std::move(protocol)), options_(std::move(options)) {}

  Result<FulcraReadings> read(Examination& examination, std::span<const PromptedText> texts,
                              std::span<const AnswerRow* const> rows) const override {
    auto examiner = examination.examiner.beside(judge_);
    auto judged = judge_texts(examiner, protocol_, texts, options_);
    if (!judged) return tl::unexpected(with_context(std::move(judged).error(), "the judge"));
    FulcraReadings readings{std::move(judged->probabilities), {}};
    for (std::size_t i = 0; i < rows.size(); ++i)
      readings.probes.push_back(judge_row(*rows[i], judged->pulls[i], judged->read_share[i]));
    return readings;
  }

 private:
  Subject judge_;
  JudgeProtocol protocol_;
  JudgeOptions options_;
};

Result<std::unique_ptr<FulcraReader>> open_judge(const Settings& settings, const Space& space) {
  JudgeOptions options;
  VALENCE_TRY(options.route, judge_route(settings.text("judge_route")));
  options.samples = static_cast<std::size_t>(settings.integer("judge_samples"));
  VALENCE_TRY(auto protocol, judge_protocol(space));
  Subject judge;
  judge.name = settings.text("judge");
  auto model = open_model({.name = judge.name, .adapters = {}, .engine = {}});
  if (!model) return tl::unexpected(with_context(std::move(model).error(), "the judge"));
  judge.model = std::move(*model);
  return std::make_unique<JudgeReader>(std::move(judge), std::move(protocol), std::move(options));
}

Result<std::unique_ptr<FulcraReader>> open_trained(const Examination& examination, const Settings& settings,
                                                   const Space& space) {
  const auto silent = silent_progress();
  auto& progress = examination.progress ? *examination.progress : *silent;
  VALENCE_TRY(auto evaluator, open_evaluator(settings.text("evaluator"), progress, examination.stop));
  if (evaluator.space() == space.id) return std::make_unique<EvaluatorReader>(std::move(evaluator));
  return fail(ErrorCode::kUsage, "the evaluator reads {}, not {}: name its space with --space {}", evaluator.space(),
              space.id, evaluator.space());
}

}  // namespace

Result<std::unique_ptr<FulcraReader>> open_fulcra_reader(const Examination& examination, const Settings& settings,
                                                         const Space& space) {
  return settings.text("judge").empty() ? open_trained(examination, settings, space) : open_judge(settings, space);
}

std::vector<ValidityCheck> judge_checks(const AnswerTable& table, const GateThresholds& gate) {
  std::vector<double> pulls, unread;
  for (const auto& row : table.probes) {
    if (row.condition != kJudgeCondition) continue;
    unread.push_back(1.0 - row.captured_mass);
    if (row.status == Status::kScored) pulls.push_back(row.probability[0] - 0.5);
  }
  if (unread.empty()) return {};
  auto pull = pulls.empty() ? Estimate{} : stats::student_mean(pulls, "response");
  if (pull.value < 0.0) pull = {-pull.value, -pull.high, -pull.low, pull.level, pull.count, pull.unit, pull.method};
  return {judged({"judge_place", "judge: probability that follows the place of a label, not its content",
                  gate.position_bias, false},
                 clamped(pull, 0.0, 0.5), gate),
          judged({"judge_unread", "judge: answers that could not be read", gate.refusal_rate, false},
                 clamped(stats::student_mean(unread, "response"), 0.0, 1.0), gate)};
}

}  // namespace valence
