#include "evaluator_label.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "evaluator_judge.h"
#include "gap_show.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/evaluate/shipped_evaluator.h"
#include "valence/instruments/run_labels.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

/// A fulcra run with what labels need to know about it.
struct LabelledRun {
  ReportRun run;
  Settings settings;
  Space space;
  DimensionNames names;
  RunResponses responses;
};

Result<LabelledRun> load_labelled_run(const Session& session, RunId id) {
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
  VALENCE_TRY(auto run, load_report_run(*store, id));
  if (run.record.instrument != "fulcra") {
    return fail(ErrorCode::kUsage,
                "run {} is of {}: labels are for the responses of a run of fulcra (valence runs lists them)", id,
                run.record.instrument);
  }
  VALENCE_TRY(auto settings, settings_of(run));
  VALENCE_TRY(auto space, load_space(settings.text("space")));
  VALENCE_TRY(auto names, dimension_names(space));
  VALENCE_TRY(auto responses, run_responses(run.answers, space, run.record.subject));
  return LabelledRun{std::move(run), std::move(settings), std::move(space), std::move(names), std::move(responses)};
}

// ---- label

struct LabelCommand {
  RunId run_id = 0;
  std::size_t count = 50;
  std::uint64_t seed = 1;
  std::string out;
  JudgeFlags judge;

  Result<void> run(const Session& session) const;

 private:
  Result<void> by_judge(const Session& session, const LabelledRun& run, const stats::LabellingDraw& draw,
                        LabelSheet& sheet, const std::string& file) const;
};

/// Labels of a judge are kept as they come, in portions.
Result<void> LabelCommand::by_judge(const Session& session, const LabelledRun& run, const stats::LabellingDraw& draw,
                                    LabelSheet& sheet, const std::string& file) const {
  constexpr std::size_t kPortion = 8;
  VALENCE_TRY(const auto reader, OpenJudge::open(judge, run.space));
  const auto progress = session.progress();
  const auto dims = run.names.size();
  while (sheet.entries.size() < draw.rows.size()) {
    const auto first = sheet.entries.size(), end = std::min(draw.rows.size(), first + kPortion);
    std::vector<PromptedText> texts;
    for (auto i = first; i < end; ++i) texts.push_back(run.responses.texts[draw.rows[i]]);
    VALENCE_TRY(const auto judgement, reader.read(texts, seed, *progress, session.stop));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!judgement.judged(i)) {
        return fail(
            ErrorCode::kModel,
            "the judge's answers about response {} of the draw could not be read, and a sample with gaps is no random "
            "sample; {} labels are kept. Try --judge-route, more --judge-samples or another judge",
            first + i + 1, sheet.entries.size());
      }
      const auto begin = judgement.merged.begin() + static_cast<std::ptrdiff_t>(i * dims);
      sheet.entries.push_back({texts[i], {begin, begin + static_cast<std::ptrdiff_t>(dims)}, reader.name()});
      VALENCE_CHECK(save_label_sheet(file, sheet, run.names));
    }
  }
  return {};
}

Result<void> LabelCommand::run(const Session& session) const {
  VALENCE_TRY(const auto run, load_labelled_run(session, run_id));
  const auto& population = run.responses.population;
  const auto prompts = std::min(count, population.cluster_count());
  VALENCE_TRY(const auto draw, stats::draw_for_labelling(population, prompts, seed));
  const auto file = out.empty() ? fmt::format("labels-run-{}.jsonl", run_id) : out;
  const SamplingRecord record{run_id, population.digest().hex(), seed, run.responses.texts.size()};
  VALENCE_TRY(auto sheet, open_label_sheet(file, run.names, run.run.record.subject, record));
  if (judge.given()) {
    VALENCE_CHECK(by_judge(session, run, draw, sheet, file));
  } else {
    VALENCE_CHECK(ask_labels(run.responses, draw, run.space, run.names, sheet, file, std::cin,
                             session.json ? std::cerr : std::cout));
  }
  const auto done = std::min(sheet.entries.size(), draw.rows.size());
  if (session.json) {
    session.print({{"run", run_id},
                   {"labelled", done},
                   {"drawn", draw.rows.size()},
                   {"prompts", prompts},
                   {"responses", record.responses},
                   {"seed", seed},
                   {"out", file}});
  } else if (done < draw.rows.size()) {
    fmt::print("{} of {} responses are labelled and kept in {}. Run the same command to go on.\n", done,
               draw.rows.size(), file);
  } else {
    fmt::print(
        "{} responses to {} of {} prompts, drawn by seed {}, are labelled: {}\n  what they say of the run: valence "
        "evaluator correct {} --labels {}\n",
        done, prompts, population.cluster_count(), seed, file, run_id, file);
  }
  return {};
}

void add_label(CLI::App& parent, Session& session) {
  auto command = std::make_shared<LabelCommand>();
  auto* app =
      parent.add_subcommand("label", "Label a random sample of a fulcra run's own responses: people here, or a judge");
  app->add_option("run", command->run_id, "run of fulcra")->required()->check(run_number());
  app->add_option("-n,--count", command->count, "prompts whose responses are labelled, drawn by the seed")
      ->check(CLI::Range(2, 1000000))
      ->capture_default_str();
  app->add_option("--seed", command->seed, "of the draw")->check(seed_number())->capture_default_str();
  app->add_option("-o,--out", command->out,
                  "labelled responses, JSONL [labels-run-RUN.jsonl]; an unfinished file is gone on with");
  command->judge.add_flags(*app);
  app->footer(
      examples({"valence evaluator label 3 --count 60", "valence evaluator label 3 --out mine.jsonl < answers.txt",
                "valence evaluator label 3 --judge smollm2 --out by-judge.jsonl"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

// ---- correct

struct CorrectCommand {
  RunId run_id = 0;
  std::string labels;

  Result<void> run(const Session& session) const;
};

/// Who read the run, and the responses that it was fitted on.
struct Reader {
  std::string name = "evaluator";
  std::vector<std::string> fitted_on;
};

/// The evaluator's list counts only if it is the one that read the run: its file may have been made anew since.
Result<void> check_same_readings(const Evaluator& evaluator, const LabelledRun& run) {
  constexpr double kSame = 1e-6;
  VALENCE_TRY(const auto again, evaluator.evaluate(run.responses.texts));
  for (std::size_t row = 0; row < again.rows; ++row) {
    for (std::size_t d = 0; d < again.dims; ++d) {
      if (std::abs(again.soft(row, d) - run.responses.readings[row * again.dims + d]) <= kSame) continue;
      return fail(
          ErrorCode::kMismatch,
          "the evaluator {} reads the run's responses differently from how they were read: it was made anew since, "
          "so what it was fitted on then is not known. Measure again with it",
          run.settings.text("evaluator"));
    }
  }
  return {};
}

Result<Reader> reader_of(const Session& session, const LabelledRun& run) {
  if (const auto& judge = run.settings.text("judge"); !judge.empty()) return Reader{"judge:" + judge, {}};
  VALENCE_TRY(const auto evaluator, open_evaluator(run.settings.text("evaluator"), *session.progress(), session.stop));
  VALENCE_CHECK(check_same_readings(evaluator, run));
  return Reader{"evaluator", evaluator.provenance().fitted_on};
}

std::string labellers_text(const CorrectedProfile& corrected) {
  std::vector<std::string> parts;
  for (const auto& [who, count] : corrected.labelled_by) parts.push_back(fmt::format("{} by {}", count, who));
  return join(parts, ", ");
}

std::string corrected_text(const LabelledRun& run, const CorrectedProfile& corrected) {
  TextTable table({{"", Align::kLeft},
                   {"mean label", Align::kRight},
                   {"95 % interval", Align::kLeft},
                   {"labels only", Align::kRight},
                   {"evaluator", Align::kRight},
                   {"its error", Align::kRight},
                   {"lambda", Align::kRight}});
  for (std::size_t d = 0; d < corrected.dimensions.size(); ++d) {
    const auto& own = corrected.dimensions[d];
    table.add({run.space.dimensions[d].label, fmt::format("{:+.3f}", own.mean.value), interval_text(own.mean),
               fmt::format("{:+.3f} {}", own.labels_only.value, interval_text(own.labels_only)),
               fmt::format("{:+.3f}", own.readings_only), fmt::format("{:+.3f}", own.readings_only - own.mean.value),
               fmt::format("{:.2f}", own.lambda)});
  }
  auto text = fmt::format("Prediction-powered profile of run {} ({})\n\n{}\n", run.run.record.id,
                          run.run.record.subject, table.text());
  text += fmt::format(
      "  {} responses to {} prompts labelled ({}), a random draw from the run's {}; none was seen by the evaluator\n",
      corrected.labelled, corrected.prompts, labellers_text(corrected), with_thousands(run.responses.texts.size()));
  if (corrected.unfinished > 0)
    text += fmt::format("  {} labels of a prompt whose other responses are not labelled yet are left out\n",
                        corrected.unfinished);
  if (run.responses.left_out > 0)
    text +=
        fmt::format("  {} responses of the run were empty, failed or not read whole: the profile is of the others\n",
                    run.responses.left_out);
  const bool judged = std::any_of(corrected.labelled_by.begin(), corrected.labelled_by.end(),
                                  [](const auto& one) { return one.first != "person"; });
  if (judged)
    text +=
        "  labels of a judge are that model's word: this is what the judge would say of all responses, not what people "
        "would\n";
  return text;
}

Json corrected_json(const LabelledRun& run, const CorrectedProfile& corrected) {
  Json document = {{"run", run.run.record.id},
                   {"subject", run.run.record.subject},
                   {"responses", run.responses.texts.size()},
                   {"left_out", run.responses.left_out},
                   {"labelled", corrected.labelled},
                   {"prompts", corrected.prompts},
                   {"unfinished", corrected.unfinished},
                   {"labelled_by", Json::object()},
                   {"values", Json::array()}};
  for (const auto& [who, count] : corrected.labelled_by) document["labelled_by"][who] = count;
  for (std::size_t d = 0; d < corrected.dimensions.size(); ++d) {
    const auto& own = corrected.dimensions[d];
    document["values"].push_back({{"dimension", run.space.dimensions[d].id},
                                  {"mean", to_json(own.mean)},
                                  {"labels_only", to_json(own.labels_only)},
                                  {"evaluator", own.readings_only},
                                  {"lambda", own.lambda}});
  }
  return document;
}

Result<void> CorrectCommand::run(const Session& session) const {
  VALENCE_TRY(const auto run, load_labelled_run(session, run_id));
  VALENCE_TRY(const auto sheet, read_label_sheet(labels, run.names));
  VALENCE_TRY(const auto reader, reader_of(session, run));
  auto corrected = correct_profile(run.responses, sheet, reader.name, reader.fitted_on);
  if (!corrected) return tl::unexpected(with_context(std::move(corrected).error(), labels));
  if (session.json) {
    session.print(corrected_json(run, *corrected));
  } else {
    fmt::print("{}", corrected_text(run, *corrected));
  }
  return {};
}

void add_correct(CLI::App& parent, Session& session) {
  auto command = std::make_shared<CorrectCommand>();
  auto* app = parent.add_subcommand(
      "correct", "A fulcra run's profile with the evaluator's error in it, from labels of its own responses");
  app->add_option("run", command->run_id, "run of fulcra")->required()->check(run_number());
  app->add_option("--labels", command->labels, "file of valence evaluator label")->required();
  app->footer(
      examples({"valence evaluator label 3 --count 60", "valence evaluator correct 3 --labels labels-run-3.jsonl"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_evaluator_labels(CLI::App& parent, Session& session) {
  add_label(parent, session);
  add_correct(parent, session);
}

}  // namespace valence
