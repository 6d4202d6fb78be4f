#include "evaluator_judge.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "evaluator_text.h"
#include "valence/base/random.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/exam/validity.h"
#include "valence/model/open.h"

namespace valence {
namespace {

constexpr const char* kJudgeGroup = "A language model instead of an evaluator";

std::string_view route_text(JudgeRoute route) {
  return route == JudgeRoute::kExact ? "exact probabilities of the three labels" : "sampled answers as JSON";
}

std::string share_text(double p) { return std::isnan(p) ? "–" : fmt::format("{:.3f}", p); }

std::string judged_text(const OpenJudge& judge, const Judgement& judgement, std::size_t row) {
  TextTable table({{"", Align::kLeft},
                   {"value", Align::kRight},
                   {"p(-1)", Align::kRight},
                   {"p(0)", Align::kRight},
                   {"p(+1)", Align::kRight},
                   {"label", Align::kLeft}});
  for (std::size_t d = 0; d < judgement.probabilities.dims; ++d) {
    const auto p = judgement.probabilities.at(row, d);
    const bool read = judgement.judged(row, d);
    table.add({judge.protocol().dimensions[d],
               read ? fmt::format("{:+.2f}", judgement.probabilities.soft(row, d)) : "–", share_text(p[0]),
               share_text(p[1]), share_text(p[2]),
               read ? label_text(judgement.merged[row * judgement.probabilities.dims + d]) : "not read"});
  }
  return table.text();
}

Json judged_json(const OpenJudge& judge, const Judgement& judgement, std::size_t row, const PromptedText& text) {
  Json values = Json::object();
  for (std::size_t d = 0; d < judgement.probabilities.dims; ++d) {
    const auto p = judgement.probabilities.at(row, d);
    const bool read = judgement.judged(row, d);
    values[judge.protocol().dimensions[d]] = {
        {"value", number_or_null(judgement.probabilities.soft(row, d))},
        {"probability", {number_or_null(p[0]), number_or_null(p[1]), number_or_null(p[2])}},
        {"label", read ? Json(int{judgement.merged[row * judgement.probabilities.dims + d]}) : Json(nullptr)}};
  }
  return {{"id", response_id(text)},
          {"values", values},
          {"read_share", judgement.read_share[row]},
          {"pull", number_or_null(judgement.pulls[row])}};
}

/// `rows` of them, drawn by the seed; all for 0.
LabelledData sample_of(const LabelledData& labelled, std::size_t rows, std::uint64_t seed) {
  if (rows == 0 || rows >= labelled.rows.size()) return labelled;
  return labelled.subset(RandomStream(seed, "responses for the judge").sample(labelled.rows.size(), rows));
}

}  // namespace

void JudgeFlags::add_flags(CLI::App& command) {
  command
      .add_option("--judge", model,
                  "let this model read (registry name, GGUF path, scripted:NAME), by the published annotation protocol")
      ->group(kJudgeGroup);
  command
      .add_option("--judge-route", route,
                  "auto, exact (probabilities of the three labels) or sampled (answers as JSON)")
      ->check(CLI::IsMember({"auto", "exact", "sampled"}))
      ->capture_default_str()
      ->group(kJudgeGroup);
  command.add_option("--judge-framing", framings, "only these framings: all, set, single, expert")
      ->delimiter(',')
      ->group(kJudgeGroup);
  command.add_option("--judge-samples", samples, "answers per framing and order; sampled route")
      ->check(CLI::Range(1, 100))
      ->capture_default_str()
      ->group(kJudgeGroup);
}

void JudgeFlags::add_sample_flag(CLI::App& command) {
  command
      .add_option("--judge-rows", rows, "put a random sample of so many of the labelled responses to the judge; 0: all")
      ->capture_default_str()
      ->group(kJudgeGroup);
}

Result<OpenJudge> OpenJudge::open(const JudgeFlags& flags, const Space& space) {
  OpenJudge open;
  VALENCE_TRY(open.options_.route, judge_route(flags.route));
  open.options_.framings = flags.framings;
  open.options_.samples = flags.samples;
  VALENCE_TRY(open.protocol_, judge_protocol(space));
  open.judge_.name = flags.model;
  auto model = open_model({.name = flags.model, .adapters = {}, .engine = {}});
  if (!model) return tl::unexpected(with_context(std::move(model).error(), "the judge"));
  open.judge_.model = std::move(*model);
  return open;
}

Result<Judgement> OpenJudge::read(std::span<const PromptedText> texts, std::uint64_t seed, Progress& progress,
                                  const std::stop_token& stop) const {
  Examiner examiner(judge_, nullptr, 0, {.seed = seed, .stop = stop, .progress = &progress});
  auto judgement = judge_texts(examiner, protocol_, texts, options_);
  if (!judgement) return tl::unexpected(with_context(std::move(judgement).error(), "the judge"));
  return judgement;
}

std::string OpenJudge::name() const { return "judge:" + judge_.name; }

Result<std::string> judge_note(const Judgement& judgement) {
  VALENCE_TRY(const auto gate, gate_thresholds());
  const auto& statuses = judgement.statuses;
  const auto pull = judgement.pull();
  auto text = fmt::format("  judge: {}, both orders; {} answers, of them refused {}, unparseable {}, failed {}\n",
                          route_text(judgement.route), with_thousands(statuses.total()), statuses.refused,
                          statuses.unparseable, statuses.error);
  if (judgement.ties > 0)
    text += fmt::format("  in {} cells framings contradict each other evenly; taken as upheld, worth a look\n",
                        judgement.ties);
  if (std::isnan(pull.value))
    return text + "  whether it goes by the place of a label cannot be told: nothing was answered in both orders\n";
  text += fmt::format("  probability that follows the place of a label: {} (+ shown first, - shown last)\n",
                      figure_text(pull));
  if (std::abs(pull.value) > gate.position_bias)
    text += "  THE JUDGE ANSWERS BY POSITION: what it says here is not about the responses\n";
  return text;
}

Result<Json> judge_json(const OpenJudge& judge, const Judgement& judgement) {
  VALENCE_TRY(const auto gate, gate_thresholds());
  const auto& statuses = judgement.statuses;
  const auto pull = judgement.pull();
  return Json{{"judge", judge.name()},
              {"route", judgement.route == JudgeRoute::kExact ? "exact" : "sampled"},
              {"answers",
               {{"scored", statuses.scored},
                {"refused", statuses.refused},
                {"unparseable", statuses.unparseable},
                {"error", statuses.error}}},
              {"ties", judgement.ties},
              {"pull", to_json(pull)},
              {"answers_by_position", std::abs(pull.value) > gate.position_bias}};
}

Result<void> apply_judge(const Session& session, const JudgeFlags& flags, const Space& space,
                         std::span<const PromptedText> texts) {
  VALENCE_TRY(const auto judge, OpenJudge::open(flags, space));
  VALENCE_TRY(const auto judgement, judge.read(texts, 0, *session.progress(), session.stop));
  if (session.json) {
    VALENCE_TRY(auto document, judge_json(judge, judgement));
    document["texts"] = Json::array();
    for (std::size_t i = 0; i < texts.size(); ++i)
      document["texts"].push_back(judged_json(judge, judgement, i, texts[i]));
    session.print(document);
    return {};
  }
  for (std::size_t i = 0; i < texts.size(); ++i) fmt::print("{}\n", judged_text(judge, judgement, i));
  VALENCE_TRY(const auto note, judge_note(judgement));
  fmt::print("{}", note);
  return {};
}

Result<void> test_judge(const Session& session, const JudgeFlags& flags, const Space& space,
                        const LabelledData& labelled, const std::string& data, const QualityOptions& quality,
                        const CalibrationPicture& picture) {
  VALENCE_TRY(const auto judge, OpenJudge::open(flags, space));
  const auto sample = sample_of(labelled, flags.rows, quality.seed);
  VALENCE_TRY(const auto judgement, judge.read(texts_of(sample.rows), quality.seed, *session.progress(), session.stop));
  VALENCE_TRY(const auto held, hold_out(judgement, sample, judge.name()));
  VALENCE_TRY(const auto report, quality_report(held, sample.names.dimensions, quality));
  VALENCE_CHECK(picture.draw(report));
  VALENCE_TRY(auto document, judge_json(judge, judgement));
  if (session.json) {
    document["data"] = data;
    document["left_out_as_unread"] = sample.rows.size() - held.rows();
    document["quality"] = to_json(report);
    session.print(document);
    return {};
  }
  VALENCE_TRY(const auto note, judge_note(judgement));
  fmt::print("{}{}{}", quality_text({report}, session.out), picture.line(), note);
  if (held.rows() < sample.rows.size())
    fmt::print("  {} responses are left out: the judge's answers about them could not all be read\n",
               sample.rows.size() - held.rows());
  return {};
}

}  // namespace valence
